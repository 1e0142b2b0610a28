// SPDX-License-Identifier: ISC
#include "crunch/failure.hpp"

#include <cstring>

#include "base/log.hpp"
#include "base/nearest.hpp"

namespace crunch {
namespace {

// The length of the well-formed sequence at the start of `text`; 0: there is none.
std::size_t sequence_bytes(std::string_view text) noexcept {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  unsigned second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;  // longer than needed
  if (first == 0xED && second > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && second < 0x90) return 0;  // longer than needed
  if (first == 0xF4 && second > 0x8F) return 0;  // past U+10FFFF
  return bytes;
}

std::string_view advice_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space, or write elsewhere";
    case EFBIG:
      return "; the file size limit is reached (ulimit -f)";
    case EACCES:
    case EPERM:
      return "; check its permissions";
    case EISDIR:
      return "; give the name of a file";
    case EROFS:
      return "; write elsewhere";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    std::size_t bytes = sequence_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string in_quotes(std::string_view name) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  while (!name.empty()) {
    std::size_t bytes = sequence_bytes(name);
    auto first = static_cast<unsigned char>(name[0]);
    if (bytes == 0) {
      out += "\\x";
      out += hex[first >> 4U];
      out += hex[first & 15U];
      bytes = 1;
    } else {
      base::append_escaped(out, name.substr(0, bytes), "\"\\");
    }
    name.remove_prefix(bytes);
  }
  return out + '"';
}

std::string sentence_of(std::string_view what, std::string_view path, int error) {
  std::string sentence = "cannot ";
  sentence += what;
  sentence += ' ';
  sentence += in_quotes(path);
  sentence += ": ";
  sentence += std::strerror(error);
  sentence += advice_for(error);
  return sentence;
}

void fail(std::string_view what, std::string_view path, int error) {
  throw Failure(sentence_of(what, path, error));
}

void refuse_word(std::string_view what, std::string_view word,
                 std::span<const std::string_view> known) {
  std::string sentence = "unknown " + std::string(what) + " " + in_quotes(word) + "; ";
  std::string_view nearest = base::nearest(word, known);
  if (!nearest.empty()) sentence += "did you mean " + std::string(nearest) + "? ";
  sentence += known.empty() ? "there is none" : "known:";
  const char* separator = " ";
  for (std::string_view each : known) {
    sentence += separator + std::string(each);
    separator = ", ";
  }
  throw Usage(sentence);
}

}  // namespace crunch
