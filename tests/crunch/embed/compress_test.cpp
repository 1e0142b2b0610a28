// SPDX-License-Identifier: ISC
// Compressed forms: they decode, are made only when worth it, and given ones are believed only when
// they decode to the same bytes.
// Method: every encoding at every effort on values at the edges; then every way a given form can be
// wrong.
#include "crunch/embed/compress.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstring>
#include <string>

namespace {

using crunch::embed::Compressor;
using crunch::embed::Effort;
using kv::Encoding;

constexpr Encoding encodings[] = {Encoding::gzip, Encoding::br, Encoding::zstd};

std::string noise(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>(state >> 24U);
  }
  return text;
}
std::string prose(std::size_t lines) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) {
    text += "<li>item " + std::to_string(i * 7919 % 1000) + "</li>\n";
  }
  return text;
}

// Reads a text in pieces of at most `step`.
crunch::embed::ReadPiece reader(const std::string& text, std::size_t step) {
  return [&text, step, at = std::size_t{0}](base::MutableBytes out) mutable {
    std::size_t count = std::min({out.size(), step, text.size() - at});
    if (count > 0) std::memcpy(out.data(), text.data() + at, count);
    at += count;
    return count;
  };
}
bool decodes(Encoding encoding, const std::string& coded, const std::string& original) {
  bool at_once =
      crunch::embed::decodes_to(encoding, reader(coded, 1U << 20U), reader(original, 1U << 20U));
  bool in_pieces = crunch::embed::decodes_to(encoding, reader(coded, 7), reader(original, 11));
  EXPECT_EQ(at_once, in_pieces);
  return at_once;
}
std::string compressed(Encoding encoding, const std::string& text, Effort effort = Effort::fast) {
  Compressor compressor(effort);
  auto form = compressor.compress(encoding, base::bytes_of(text), text.size() + 1000);
  EXPECT_TRUE(form);
  return std::string(base::text_of(*form));
}

TEST(Worthwhile, AtLeast64BytesAnd5Percent) {
  struct Row {
    std::uint64_t identity;
    std::uint64_t most;
  };
  constexpr Row rows[] = {{0, 0},
                          {1, 0},
                          {64, 0},
                          {65, 1},
                          {1000, 936},
                          {1279, 1215},
                          {1280, 1216},
                          {1281, 1216},
                          {1300, 1235},
                          {2000, 1900},
                          {2019, 1918},
                          {100000, 95000},
                          {~0ULL, 17524406870024074034ULL}};
  for (const Row& row : rows) {
    EXPECT_EQ(crunch::embed::worthwhile_bytes_max(row.identity), row.most) << row.identity;
  }
}

TEST(Compressor, FormsDecodeAtEveryEffort) {
  for (Effort effort : {Effort::fast, Effort::normal, Effort::best}) {
    Compressor compressor(effort);  // one for all, as in a run
    for (const std::string& text : {prose(10), prose(20000), std::string(300000, 'x'), prose(7)}) {
      for (Encoding encoding : encodings) {
        SCOPED_TRACE(std::string(kv::name_of(encoding)) + " of " + std::to_string(text.size()));
        auto form = compressor.compress(encoding, base::bytes_of(text), text.size());
        ASSERT_TRUE(form);
        EXPECT_TRUE(decodes(encoding, std::string(base::text_of(*form)), text));
        // The same again, whatever was compressed before.
        EXPECT_EQ(compressor.compress(encoding, base::bytes_of(text), text.size()), form);
        EXPECT_EQ(Compressor(effort).compress(encoding, base::bytes_of(text), text.size()), form);
      }
    }
  }
}

TEST(Compressor, NothingThatIsNotSmallEnough) {
  Compressor compressor(Effort::normal);
  std::string random = noise(5000);
  std::string text = prose(100);
  for (Encoding encoding : encodings) {
    EXPECT_FALSE(compressor.compress(encoding, base::bytes_of(random), 4750));
    auto form = compressor.compress(encoding, base::bytes_of(text), text.size());
    ASSERT_TRUE(form);
    // The bound is exact: never more, and brotli's stored fallback is no way around it.
    EXPECT_FALSE(compressor.compress(encoding, base::bytes_of(text), form->size() - 1));
    EXPECT_FALSE(compressor.compress(encoding, base::bytes_of(text), 1));
  }
}

TEST(Compressor, RecipesDifferByEffortAndEncoding) {
  for (Encoding a : encodings) {
    EXPECT_NE(crunch::embed::recipe_of(a, Effort::fast), crunch::embed::recipe_of(a, Effort::best));
    for (Encoding b : encodings) {
      EXPECT_EQ(
          crunch::embed::recipe_of(a, Effort::best) == crunch::embed::recipe_of(b, Effort::best),
          a == b);
    }
  }
}

TEST(Given, WrongInEveryWay) {
  std::string text = prose(3000);
  for (Encoding encoding : encodings) {
    SCOPED_TRACE(kv::name_of(encoding));
    std::string good = compressed(encoding, text);
    EXPECT_TRUE(decodes(encoding, good, text));
    EXPECT_FALSE(decodes(encoding, "", text));
    EXPECT_FALSE(decodes(encoding, "not compressed at all", text));
    EXPECT_FALSE(decodes(encoding, good + "x", text));
    EXPECT_FALSE(decodes(encoding, good, text + "x"));
    EXPECT_FALSE(decodes(encoding, good, text.substr(1)));
    EXPECT_FALSE(decodes(encoding, good, ""));
    std::string other = text;
    other.back() = 'y';
    EXPECT_FALSE(decodes(encoding, good, other));
    for (std::size_t size = 0; size < good.size(); size += 1 + good.size() / 50) {
      EXPECT_FALSE(decodes(encoding, good.substr(0, size), text)) << size;
    }
    EXPECT_FALSE(decodes(encoding, good.substr(0, good.size() - 1), text));
  }
}

TEST(Given, OtherEncodingsAreNotTaken) {
  std::string text = prose(3000);
  for (Encoding made : encodings) {
    for (Encoding claimed : encodings) {
      EXPECT_EQ(decodes(claimed, compressed(made, text), text), made == claimed);
    }
  }
}

// RFC 1952 section 2.2 and RFC 8878 section 3: files may be several members, or frames.
TEST(Given, InSeveralMembers) {
  std::string text = prose(500);
  for (Encoding encoding : {Encoding::gzip, Encoding::zstd}) {
    EXPECT_TRUE(
        decodes(encoding, compressed(encoding, text) + compressed(encoding, text), text + text));
  }
}

// A form that decodes to far more than the original is given up at the first byte too many.
TEST(Given, ABombCostsNoMoreThanTheOriginal) {
  std::string zeros(50'000'000, '\0');
  std::string original(1000, '\0');
  for (Encoding encoding : encodings) {
    std::string bomb = compressed(encoding, zeros);
    std::size_t taken = 0;
    auto counting = [&, read = reader(original, 1U << 20U)](base::MutableBytes out) mutable {
      taken += out.size();
      return read(out);
    };
    EXPECT_FALSE(crunch::embed::decodes_to(encoding, reader(bomb, 1U << 20U), std::ref(counting)));
    EXPECT_LT(taken, 1'000'000U);  // one piece of what it decodes to, not fifty million bytes
  }
}

// Browsers give zstd 8 MiB of window (RFC 9659); a form that needs more is of no use to them.
TEST(Given, ZstdWithTooLargeAWindow) {
  std::string text = noise(20'000'000);
  std::string coded(ZSTD_compressBound(text.size()), '\0');
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  for (int window : {23, 24}) {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);  // no single segment
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window);
    std::size_t size =
        ZSTD_compress2(context.get(), coded.data(), coded.size(), text.data(), text.size());
    ASSERT_FALSE(ZSTD_isError(size));
    EXPECT_EQ(crunch::embed::decodes_to(Encoding::zstd, reader(coded.substr(0, size), 1U << 20U),
                                        reader(text, 1U << 20U)),
              window == 23);
  }
}

}  // namespace
