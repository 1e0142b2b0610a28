// SPDX-License-Identifier: ISC
// crunch/inspect/solo5.hpp: what an image needs from a Solo5 tender, read from its two notes.
//
// States:  Solo5, read_solo5.   Used by: crunch/inspect/inspect.cpp.
// Source:  solo5/abi.hpp. The bytes may be malformed.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crunch::inspect {

inline constexpr std::string_view abi_section = ".note.solo5.abi";
inline constexpr std::string_view devices_section = ".note.solo5.manifest";

struct Solo5 {
  struct Device {
    std::string name;
    std::string type;  // "net", "block", or a number
  };
  std::string target;  // "hvt", or a number
  std::uint32_t version = 0;
  std::vector<Device> devices;
};

// Of the two sections; throws a Failure that begins with `path` if they are damaged.
[[nodiscard]] Solo5 read_solo5(const std::string& abi, const std::string& devices,
                               const std::string& path);

}  // namespace crunch::inspect
