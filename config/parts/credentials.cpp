// SPDX-License-Identifier: ISC
#include "config/parts/credentials.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/wipe.hpp"
#include "kv/rw.hpp"

namespace config {
namespace {

// A key's file or a certificate's.
kv::SecretValue bytes_at(std::string_view path) {
  constexpr std::size_t bytes_max = 1U << 20U;
  const auto cannot = [path](int why) {
    return StartError(std::string(path) + ": cannot be read: " + std::strerror(why));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(std::string(path).c_str(), "rb"), std::fclose);
  if (file == nullptr) throw cannot(errno);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // no copy stays in its buffer
  base::SecretBytes bytes(bytes_max);
  if (!bytes.has_memory()) throw cannot(ENOMEM);
  const std::size_t size = std::fread(bytes.all().data(), 1, bytes.size(), file.get());
  if (std::ferror(file.get()) != 0) throw cannot(errno);  // a folder opens, and cannot be read
  const base::Bytes part = base::Bytes(bytes.all()).first(size);
  return {std::move(bytes), part};
}

// Wiped at the end of its scope, also by an exception.
class Wiping {
 public:
  explicit Wiping(base::MutableBytes bytes) : bytes_(bytes) {}
  Wiping(const Wiping&) = delete;
  Wiping& operator=(const Wiping&) = delete;
  ~Wiping() { base::wipe(bytes_); }

 private:
  base::MutableBytes bytes_;
};

base::Bytes bytes_of_file(const EmbeddedFile& file) {
  return {reinterpret_cast<const std::byte*>(file.begin),
          reinterpret_cast<const std::byte*>(file.end)};
}

tls::Identity identity_of(const tls::CredentialFile& certificates, const tls::CredentialFile& key,
                          const CredentialSource& source) {
  auto made = tls::Identity::make(certificates, key, source.entropy);
  if (!made) throw StartError(made.error());
  for (const std::string& warning : made->warnings(source.clock.wall_s(), "")) {
    source.log.warning({warning});
  }
  return std::move(*made);
}

constexpr kv::Key vault_cert = "tls/cert";
constexpr kv::Key vault_private_key = "tls/key";

// None: the vault has neither of the two.
std::optional<tls::Identity> identity_in_vault(const CredentialSource& source) {
  const std::string place(source.vault_place);
  const kv::Result<kv::SecretValue> cert = source.from_vault(vault_cert);
  const kv::Result<kv::SecretValue> key = source.from_vault(vault_private_key);
  const auto is_missing = [](const auto& value) {
    return !value && value.error() == kv::Error::not_found;
  };
  if (is_missing(cert) && is_missing(key)) return std::nullopt;
  if (is_missing(cert) || is_missing(key)) {
    throw StartError(place + " has only one of tls/cert and tls/key; they belong together");
  }
  for (const auto* value : {&cert, &key}) {
    if (*value) continue;
    throw StartError(place + ": " + std::string(value == &cert ? vault_cert : vault_private_key) +
                     " is damaged, or cannot be read");
  }
  const std::string cert_name = "tls/cert in " + place;
  const std::string key_name = "tls/key in " + place;
  return identity_of({cert_name, base::Bytes(*cert)}, {key_name, base::Bytes(*key)}, source);
}

// The boot keys' files, else the host's, else the vault's, else the image's own.
std::vector<tls::Identity> identities_of(const CredentialSource& source,
                                         const EmbeddedFile* files) {
  std::vector<tls::Identity> identities;
  for (std::size_t i = 0; i < source.cert_paths.size(); ++i) {
    const kv::SecretValue certificates = bytes_at(source.cert_paths[i]);
    const kv::SecretValue key = bytes_at(source.key_paths[i]);
    identities.push_back(
        identity_of({source.cert_paths[i], certificates}, {source.key_paths[i], key}, source));
  }
  if (!identities.empty()) return identities;
  if (!source.host_key.empty()) {
    const Wiping wiping(std::as_writable_bytes(source.host_key));
    identities.push_back(
        identity_of({"the host's certificate", base::bytes_of(source.host_certificates)},
                    {"the host's key", std::as_bytes(source.host_key)}, source));
    return identities;
  }
  if (source.from_vault) {
    if (auto identity = identity_in_vault(source)) {
      identities.push_back(std::move(*identity));
      return identities;
    }
  }
  for (const EmbeddedFile* at = files; at != nullptr && at->name != nullptr; at += 2) {
    identities.push_back(identity_of({at[0].name, bytes_of_file(at[0])},
                                     {at[1].name, bytes_of_file(at[1])}, source));
  }
  return identities;
}

TlsContext make_context(const CredentialSource& source, const EmbeddedFile* files) {
  if (source.cert_paths.empty() != source.key_paths.empty()) {
    throw StartError("--cert and --key belong together; only one of them is given");
  }
  if (source.cert_paths.size() != source.key_paths.size()) {
    throw StartError("--cert is given " + std::to_string(source.cert_paths.size()) +
                     " times and --key " + std::to_string(source.key_paths.size()) +
                     " times; give as many of both, in the same order");
  }
  std::vector<tls::Identity> identities = identities_of(source, files);
  if (identities.empty()) return nullptr;
  return std::make_shared<tls::Context>(std::move(identities), source.entropy);
}

}  // namespace

void log_certificates(base::Log& log, std::string_view what, const tls::Context& context) {
  for (const tls::Identity& identity : context.identities()) {
    std::string names;
    for (const std::string& name : identity.names()) names += (names.empty() ? "" : ", ") + name;
    log.info({what, names, "; ", identity.key_type(), ", until ",
              tls::date_text(identity.not_after_s())});
  }
}

Credentials::Credentials(const CredentialSource& source, const EmbeddedFile* files,
                         tls::SharedContext& shared)
    : source_(source), shared_(shared) {
  if (!source_.is_first_thread) return;
  TlsContext context = make_context(source_, files);
  if (context != nullptr) {
    log_certificates(source_.log, "serves HTTPS with a certificate for ", *context);
  }
  shared_.set(std::move(context));
}

void Credentials::read_again(Asked asked) {
  if (!source_.is_first_thread) return;  // the others take what it has read
  try {
    TlsContext renewed = make_context(source_, nullptr);
    if (renewed == nullptr && shared_.is_expected()) return;  // it comes from elsewhere
    if (renewed == nullptr) {
      throw StartError(std::string(source_.vault_place) + " has neither tls/cert nor tls/key");
    }
    log_certificates(source_.log, "the certificate was read again: ", *renewed);
    shared_.set(std::move(renewed));
    last_refusal_.clear();
  } catch (const StartError& error) {
    if (asked == Asked::by_change && last_refusal_ == error.what()) return;
    last_refusal_ = error.what();
    source_.log.error({error.what(), " (the certificate in use stays)"});
  }
}

}  // namespace config
