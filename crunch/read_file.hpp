// SPDX-License-Identifier: ISC
// crunch/read_file.hpp: reading files.
//
// States:  read_at, read_file.   Used by: crunch/*.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/descriptor.hpp"

namespace crunch {

using base::Descriptor;

// Reads up to out.size() bytes at `offset`: fewer only at the end of the file. Throws a Failure
// that names `path`.
std::size_t read_at(int fd, std::uint64_t offset, base::MutableBytes out, std::string_view path);

// The whole file. Throws a Failure if it cannot be read or has more than `bytes_max`.
[[nodiscard]] std::string read_file(const std::string& path,
                                    std::uint64_t bytes_max = std::uint64_t{1} << 30U);

}  // namespace crunch
