// SPDX-License-Identifier: ISC
#include "crunch/inspect/solo5.hpp"

#include <algorithm>
#include <cstring>

#include "crunch/failure.hpp"
#include "solo5/abi.hpp"

namespace crunch::inspect {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  throw Failure(in_quotes(path) + " is damaged: its notes for a tender of Solo5 are not whole");
}

template <class T>
T taken(const std::string& note, std::size_t at, const std::string& path) {
  if (at > note.size() || note.size() - at < sizeof(T)) refuse(path);
  T out;
  std::memcpy(&out, note.data() + at, sizeof out);
  return out;
}

std::string type_text(solo5::DeviceType type) {
  if (type == solo5::DeviceType::net) return "net";
  if (type == solo5::DeviceType::block) return "block";
  return std::to_string(static_cast<std::uint32_t>(type));
}

}  // namespace

Solo5 read_solo5(const std::string& abi, const std::string& devices, const std::string& path) {
  constexpr std::size_t header_at = solo5::note_header_bytes + solo5::manifest_note_padding;
  const auto its_abi = taken<solo5::AbiNote>(abi, solo5::note_header_bytes, path);
  Solo5 out;
  out.target = its_abi.target == solo5::target_hvt ? "hvt" : std::to_string(its_abi.target);
  out.version = its_abi.version;
  const auto header = taken<solo5::ManifestHeader>(devices, header_at, path);
  if (header.count == 0 || header.count > solo5::manifest_entries_max) refuse(path);
  for (std::size_t i = 1; i < header.count; ++i) {  // the first is no device
    const auto entry = taken<solo5::ManifestEntry>(
        devices, header_at + sizeof header + i * sizeof(solo5::ManifestEntry), path);
    const char* const end = std::find(entry.name, std::end(entry.name), '\0');
    out.devices.push_back({std::string(entry.name, end), type_text(entry.type)});
  }
  return out;
}

}  // namespace crunch::inspect
