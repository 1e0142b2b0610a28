// SPDX-License-Identifier: ISC
// kv/tar/format.hpp: a tar archive, header by header, without reading it itself.
//
// States:  Member, Scanner.   Used by: kv/tar/tar.hpp, the fuzzer.   May include: base, kv.
// Takes:   ustar (POSIX.1-1988), pax (POSIX.1-2001: path, size and mtime of `x`; `g` is skipped)
//          and GNU's long names (`L`; `K` is skipped) and numbers in base 256. Of two members of
//          one name the later counts, as for tar -x. Hard links are the file that they name.
// Skips:   directories (those that hold a file are there), devices, FIFOs.
// Refuses: with a sentence: what is no archive, was cut short, has a wrong checksum or a number
//          that is none; names that are absolute, have "..", are not UTF-8 or too long; symbolic
//          links, sparse files; a file that is also a folder; more than members_max.
// Source:  POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "kv/kv.hpp"

namespace kv::tar {

inline constexpr std::uint32_t block_bytes = 512;
inline constexpr std::size_t members_max = 200'000;
inline constexpr std::size_t name_bytes_max = 4096;
inline constexpr std::uint32_t extension_bytes_max = 65'536;  // of a pax header or a long name

// A file in the archive.
struct Member {
  std::uint64_t offset = 0;  // of its bytes
  std::uint64_t size_bytes = 0;
  std::int64_t modified_s = 0;
  std::optional<Digest> digest;  // set by who reads it
};
using Members = std::map<std::string, Member, std::less<>>;

class Scanner {
 public:
  // An archive of so many bytes, or a device that begins with one.
  explicit Scanner(std::uint64_t size_bytes) : size_bytes_(size_bytes) {}

  struct Wanted {
    std::uint64_t offset = 0;
    std::uint32_t bytes = 0;  // at most extension_bytes_max, and in the archive
  };
  // What take() needs next. None: the archive has ended.
  [[nodiscard]] std::optional<Wanted> wanted() const;
  // The error is a sentence that says "it" for the archive, and ends the scan.
  [[nodiscard]] base::Result<void, std::string> take(Bytes bytes);

  // Once the archive has ended.
  [[nodiscard]] Members take_members() { return std::move(members_); }

 private:
  using Taken = base::Result<void, std::string>;
  struct Header;
  enum class State : std::uint8_t { header, pax, long_name, ended };
  // What precedes a member and says more about it.
  struct Extension {
    std::optional<std::string> name;
    std::optional<std::uint64_t> size_bytes;
    std::optional<std::int64_t> modified_s;
  };

  [[nodiscard]] Taken take_header(Bytes block);
  [[nodiscard]] Taken take_member(const Header& header);
  [[nodiscard]] Taken take_pax(std::string_view records);
  [[nodiscard]] Taken take_record(std::string_view key, std::string_view value);
  [[nodiscard]] Taken begin_extension(const Header& header, State state);
  [[nodiscard]] Taken add_file(const std::string& key, const Member& member);
  [[nodiscard]] Taken add_link(const std::string& key, std::string_view target);
  [[nodiscard]] base::Failure<std::string> refuse(std::string_view name,
                                                  std::string_view why) const;

  std::uint64_t size_bytes_;
  std::uint64_t offset_ = 0;
  State state_ = State::header;
  std::uint32_t extension_bytes_ = 0;
  Extension extension_;
  Members members_;
  bool has_members_ = false;
};

}  // namespace kv::tar
