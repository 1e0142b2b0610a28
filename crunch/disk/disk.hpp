// SPDX-License-Identifier: ISC
// crunch/disk/disk.hpp: disks for images: files, or block devices, that hold a vault.
//
// States:  format, set, get, remove, show, check.   Used by: `crunch disk`.
// Lock:    while an image runs on a disk, or another crunch changes it, all of these fail; several
//          may read at once (block/file).
// Errors:  Failure with the disk's name. A disk that is damaged or holds something else is never
//          changed, but by format, if told to.

#pragma once

#include <cstdint>
#include <string>

namespace crunch::disk {

struct Format {
  std::string path;
  std::uint64_t size_bytes = 0;  // 0: default_bytes, or that of what is there
  bool overwrites = false;       // what is not empty
};
inline constexpr std::uint64_t default_bytes = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t size_bytes_min = 65'536;
inline constexpr std::uint64_t size_bytes_max = std::uint64_t{256} << 20U;

// Makes a vault. A file that is not there is made whole, for its owner only, or not at all.
void format(const Format& what);

// The value is that of a file, or, "-", of standard input.
void set(const std::string& path, const std::string& key, const std::string& value_path);
// Writes the value to standard output.
void get(const std::string& path, const std::string& key);
void remove(const std::string& path, const std::string& key);
// Writes what is in it, without the values.
void show(const std::string& path);
// Reads every value. A Failure names those that are damaged.
void check(const std::string& path);

}  // namespace crunch::disk
