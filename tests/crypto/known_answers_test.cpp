// SPDX-License-Identifier: ISC
// tests/crypto/known_answers_test.cpp: the primitives of crypto/ against their standards' answers.
//
// Method: tables in hexadecimal. SHA-2: NIST's examples for FIPS 180-4. HMAC: RFC 4231. HKDF:
// RFC 5869. AES-GCM: NIST's validation tests (CAVS 14.0). ChaCha20-Poly1305: RFC 8439 section 2.8.2
// and appendix A.5. P-256, P-384: NIST's key pairs (FIPS 186-3) and key agreements. Ed25519: RFC
// 8032. X25519's are in curves_test.cpp, RSA's in rsa_test.cpp.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/nist_curves.hpp"
#include "tests/crypto/hex.hpp"

namespace {

using crypto::Cipher;
using crypto::Hash;
using hex::Buffer;
using hex::from_hex;
using hex::to_hex;

struct HashVector {
  Hash hash;
  std::string_view message;  // as text
  std::string_view digest;
};
constexpr HashVector hash_vectors[] = {
    {Hash::sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {Hash::sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {Hash::sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {Hash::sha384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134"
     "c825a7"},
    {Hash::sha384,
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlm"
     "nopqrsmnopqrstnopqrstu",
     "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91"
     "746039"},
    {Hash::sha512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3"
     "feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {Hash::sha512,
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlm"
     "nopqrsmnopqrstnopqrstu",
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4"
     "b5433ac7d329eeb6dd26545e96e55b874be909"},
};

TEST(KnownAnswers, Sha2) {
  for (const HashVector& vector : hash_vectors) {
    Buffer out(crypto::hash_bytes(vector.hash));
    crypto::digest(vector.hash, base::bytes_of(vector.message), out);
    EXPECT_EQ(to_hex(out), vector.digest);
  }
  EXPECT_EQ(to_hex(crypto::sha256_of(base::bytes_of(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

struct HmacVector {
  Hash hash;
  std::string_view key, message, digest;
};
constexpr HmacVector hmac_vectors[] = {
    {Hash::sha256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {Hash::sha256, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {Hash::sha256,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d204861736820"
     "4b6579204669727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {Hash::sha384, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2"
     "fa9cb6"},
    {Hash::sha384, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfa"
     "b21649"},
    {Hash::sha384,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d204861736820"
     "4b6579204669727374",
     "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163"
     "f44952"},
    {Hash::sha512, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eae"
     "a3f4e4be9d914eeb61f1702e696c203a126854"},
    {Hash::sha512, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8"
     "f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {Hash::sha512,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d204861736820"
     "4b6579204669727374",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d"
     "6a1e5295e64f73f63f0aec8b915a985d786598"},
};

TEST(KnownAnswers, Hmac) {
  for (const HmacVector& vector : hmac_vectors) {
    Buffer out(crypto::hash_bytes(vector.hash));
    crypto::hmac(vector.hash, from_hex(vector.key), from_hex(vector.message), out);
    EXPECT_EQ(to_hex(out), vector.digest);
  }
}

struct HkdfVector {
  std::string_view secret, salt, info, key, out;
};
constexpr HkdfVector hkdf_vectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c"
     "2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c"
     "8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdc"
     "dddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
     "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

TEST(KnownAnswers, Hkdf) {
  for (const HkdfVector& vector : hkdf_vectors) {
    Buffer key(32);
    crypto::hkdf_extract(Hash::sha256, from_hex(vector.salt), from_hex(vector.secret), key);
    EXPECT_EQ(to_hex(key), vector.key);
    Buffer out(vector.out.size() / 2);
    crypto::hkdf_expand(Hash::sha256, key, from_hex(vector.info), out);
    EXPECT_EQ(to_hex(out), vector.out);
  }
}

struct AeadVector {
  Cipher cipher;
  std::string_view key, nonce, associated, content, sealed;  // sealed: with the tag
};
constexpr AeadVector aead_vectors[] = {
    {Cipher::aes_128_gcm, "77be63708971c4e240d1cb79e8d77feb", "e0e00f19fed7ba0136a797f3",
     "7a43ec1d9c0a5a78a0b16533a6213cab", "", "209fcc8d3675ed938e9c7166709dd946"},
    {Cipher::aes_128_gcm, "7fddb57453c241d03efbed3ac44e371c", "ee283a3fc75575e33efd4887", "",
     "d5de42b461646c255c87bd2962d3b9a2",
     "2ccda4a5415cb91e135c2a0f78c9b2fdb36d1df9b9d5e596f83e8b7f52971cb3"},
    {Cipher::aes_128_gcm, "fe47fcce5fc32665d2ae399e4eec72ba", "5adb9609dbaeb58cbd6e7275",
     "88319d6e1d3ffa5f987199166c8a9b56c2aeba5a",
     "7c0e88c88899a779228465074797cd4c2e1498d259b54390b85e3eef1c02df60e743f1b840382c4bccaf3bafb4"
     "ca8429bea063",
     "98f4826f05a265e6dd2be82db241c0fbbbf9ffb1c173aa83964b7cf5393043736365253ddbc5db8778371495da"
     "76d269e5db3e291ef1982e4defedaa2249f898556b47"},
    {Cipher::aes_256_gcm, "78dc4e0aaf52d935c3c01eea57428f00ca1fd475f5da86a49c8dd73d68c8e223",
     "d79cf22d504cc793c3fb6c8a", "b96baa8c1c75a671bfb2d08d06be5f36", "",
     "3e5d486aa2e30b22e040b85723a06e76"},
    {Cipher::aes_256_gcm, "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
     "0d18e06c7c725ac9e362e1ce", "", "2db5168e932556f8089a0622981d017d",
     "fa4362189661d163fcd6a56d8bf0405ad636ac1bbedd5cc3ee727dc2ab4a9489"},
    {Cipher::aes_256_gcm, "24501ad384e473963d476edcfe08205237acfd49b5b8f33857f8114e863fec7f",
     "9ff18563b978ec281b3f2794", "adb5ec720ccf9898500028bf34afccbcaca126ef",
     "27f348f9cdc0c5bd5e66b1ccb63ad920ff2219d14e8d631b3872265cf117ee86757accb158bd9abb3868fdc0d0"
     "b074b5f01b2c",
     "eb7cb754c824e8d96f7c6d9b76c7d26fb874ffbf1d65c6f64a698d839b0b06145dae82057ad55994cf59ad7f67"
     "c0fa5e85fab8bc95c532fecc594c36d1550286a7a3f0"},
    {Cipher::chacha20_poly1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20496620"
     "4920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f722074686520667574757265"
     "2c2073756e73637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da"
     "92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585"
     "808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"},
    {Cipher::chacha20_poly1305, "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
     "000000000102030405060708", "f33388860000000000004e91",
     "496e7465726e65742d4472616674732061726520647261667420646f63756d656e74732076616c696420666f72"
     "2061206d6178696d756d206f6620736978206d6f6e74687320616e64206d617920626520757064617465642c20"
     "7265706c616365642c206f72206f62736f6c65746564206279206f7468657220646f63756d656e747320617420"
     "616e792074696d652e20497420697320696e617070726f70726961746520746f2075736520496e7465726e6574"
     "2d447261667473206173207265666572656e6365206d6174657269616c206f7220746f2063697465207468656d"
     "206f74686572207468616e206173202fe2809c776f726b20696e2070726f67726573732e2fe2809d",
     "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e38"
     "2d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f9"
     "82b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d"
     "46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04"
     "b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049"
     "e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d6789"
     "0cbb22392336fea1851f38"},
};

TEST(KnownAnswers, Aead) {
  for (const AeadVector& vector : aead_vectors) {
    for (const bool portable : {false, true}) {
      SCOPED_TRACE(vector.key);
      crypto::Aead aead;
      aead.set_key(vector.cipher, from_hex(vector.key), portable);
      crypto::Nonce nonce;
      std::ranges::copy(from_hex(vector.nonce), nonce.begin());
      const Buffer content = from_hex(vector.content);
      const Buffer associated = from_hex(vector.associated);
      const std::array pieces{base::Bytes(content)};
      Buffer sealed(content.size() + sizeof(crypto::Tag));
      aead.seal(nonce, associated, pieces, sealed.data());
      EXPECT_EQ(to_hex(sealed), vector.sealed);
      Buffer opened(sealed.size());
      EXPECT_TRUE(aead.open(nonce, associated, sealed, opened.data()));
      EXPECT_EQ(to_hex(base::Bytes(opened).first(content.size())), vector.content);
    }
  }
}

// Without a point it is the base point; y is not always given.
struct NistVector {
  std::string_view scalar, point_x, point_y, x, y;
};
constexpr NistVector p256_vectors[] = {
    {"c9806898a0334916c860748880a541f093b579a9b1f32934d86c363c39800357", "", "",
     "d0720dc691aa80096ba32fed1cb97c2b620690d06de0317b8618d5ce65eb728f",
     "9681b517b1cda17d0d83d335d9c4a8a9a9b0b1b3c7106d8f3c72bc5093dc275f"},
    {"710735c8388f48c684a97bd66751cc5f5a122d6b9a96a2dbe73662f78217446d", "", "",
     "f6836a8add91cb182d8d258dda6680690eb724a66dc3bb60d2322565c39e4ab9",
     "1f837aa32864870cb8e8d0ac2ff31f824e7beddc4bb7ad72c173ad974b289dc2"},
    {"8087ab163864bfa81001c72f736b6d94e7612559ac4c847d06ba2171840684d6",
     "5a3955c54a49645ed818f3774ea10971a1db88c370d8966c5a6e88234ed5d820",
     "03b13f0dad73f64532f42b8b2fa6d1450d9ab24896e95c24674298f2da07ccda",
     "0cb890a0dcc277c3dde0f91b4322a32e6365d7ec85316185d3286b4977849410", ""},
};
constexpr NistVector p384_vectors[] = {
    {"5394f7973ea868c52bf3ff8d8ceeb4db90a683653b12485d5f627c3ce5abd8978fc9673d14a71d925747931662"
     "493c37",
     "", "",
     "fd3c84e5689bed270e601b3d80f90d67a9ae451cce890f53e583229ad0e2ee645611fa9936dfa45306ec180667"
     "74aa24",
     "b83ca4126cfc4c4d1d18a4b6c21c7f699d5123dd9c24f66f833846eeb58296196b42ec06425db5b70a4b81b7fc"
     "f705a0"},
    {"9b90d800abc37df43536e0dc321d43e6aeb5317fcb5118a0e827c8165b1cb05051ef12794b5278a293accbc0b1"
     "beb2c2",
     "", "",
     "732b0f83d303475584d88ed91cc74b367e9ffbfcc2d044d1485417d2731fa4f3b70347388e2308e9e43bdbf952"
     "465393",
     "d8d232a2c995a6ff133893dcfa9b559c11376eb999abf55edd51cc5edb7935500f80f55ca1a542a1b87f6c8c64"
     "3b83d6"},
    {"f865418473e5bf7d2e1bbcd9bd5a9270c003a9dd35e778133ca59fcab4bb64fe24d6800e7047bdd033abc8bfa8"
     "db35b5",
     "d1bf2ac21637d66d6398aac01dcd56ac6f065fb45d1f6f16747bab9e9b01b4630b59b20927aea147355bf41838"
     "acb482",
     "4c9e23f1c5a41647d094086bf4ed31708651f21d996c47780688ac10f77deee2e43b5241b6caecd2fd5444bc50"
     "472e0e",
     "a781430e6078a179df3f9ee27cd8fdc6188f161b6c4ccc4053ef6c6ca6fc222946883a53c06db08f0a020023ce"
     "d055aa",
     ""},
};

template <class Curve>
void check_curve(std::span<const NistVector> vectors) {
  const auto number = [](std::string_view text) {
    typename Curve::Bytes out;
    const Buffer bytes = from_hex(text);
    std::ranges::transform(bytes, out.begin(),
                           [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return out;
  };
  for (const NistVector& vector : vectors) {
    const auto product = vector.point_x.empty()
                             ? Curve::multiply_base(number(vector.scalar))
                             : Curve::multiply(number(vector.scalar),
                                               {number(vector.point_x), number(vector.point_y)});
    EXPECT_EQ(to_hex(std::as_bytes(std::span(product.x))), vector.x);
    if (!vector.y.empty()) {
      EXPECT_EQ(to_hex(std::as_bytes(std::span(product.y))), vector.y);
    }
  }
}

TEST(KnownAnswers, NistCurves) {
  check_curve<crypto::P256>(p256_vectors);
  check_curve<crypto::P384>(p384_vectors);
}

struct Ed25519Vector {
  std::string_view private_key, public_key, message, signature;
};
constexpr Ed25519Vector ed25519_vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
     "f9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
     "f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
     "4dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(KnownAnswers, Ed25519) {
  for (const Ed25519Vector& vector : ed25519_vectors) {
    crypto::Ed25519Key key;
    std::ranges::copy(from_hex(vector.private_key), key.begin());
    const crypto::Ed25519Key public_key = crypto::ed25519_public_key(key);
    EXPECT_EQ(to_hex(public_key), vector.public_key);
    Buffer message = from_hex(vector.message);
    crypto::Ed25519Signature signature = crypto::ed25519_sign(key, message);
    EXPECT_EQ(to_hex(signature), vector.signature);
    EXPECT_TRUE(crypto::ed25519_verify(public_key, message, signature));
    for (std::size_t bit = 0; bit < 8 * signature.size(); bit += 13) {
      crypto::Ed25519Signature bad = signature;
      bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_FALSE(crypto::ed25519_verify(public_key, message, bad)) << bit;
    }
    message.push_back(std::byte{0});
    EXPECT_FALSE(crypto::ed25519_verify(public_key, message, signature));
  }
}

}  // namespace
