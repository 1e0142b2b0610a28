// SPDX-License-Identifier: ISC
// tests/tender/sample.hpp: a small image of the hvt ABI, whose every field a test can change.
//
// One segment of code at 1 MiB, one of data behind it, and the two notes; a net device and a block
// device.

#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "solo5/abi.hpp"

namespace hvt_test {

inline constexpr std::uint64_t memory_bytes = 4U << 20U;

struct Note {
  Elf64_Nhdr head{};
  char name[8] = {'S', 'o', 'l', 'o', '5'};
};

inline solo5::ManifestEntry device(std::string_view name, solo5::DeviceType type) {
  solo5::ManifestEntry out{};
  name.copy(out.name, sizeof out.name);
  out.type = type;
  return out;
}

// The headers and what they describe; bytes() puts them one after another.
struct Sample {
  Sample() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_entry = 0x100010;
    header.e_phoff = sizeof header;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 4;
    code.p_type = data.p_type = PT_LOAD;
    code.p_flags = PF_R | PF_X;
    code.p_vaddr = 0x100000;
    data.p_flags = PF_R | PF_W;
    data.p_vaddr = 0x102008;
    code.p_align = data.p_align = 0x1000;
    data.p_memsz = 0x3000;
    abi_note.p_type = manifest_note.p_type = PT_NOTE;
    abi_head.head = {solo5::note_name_bytes, sizeof abi, solo5::abi_note_type};
    manifest_head.head = {solo5::note_name_bytes, 0, solo5::manifest_note_type};
    abi.target = solo5::target_hvt;
    abi.version = solo5::abi_version;
    manifest.version = solo5::manifest_version;
    entries = {device("", solo5::DeviceType::reserved_first),
               device("service", solo5::DeviceType::net),
               device("storage", solo5::DeviceType::block)};
    manifest.count = 3;
    set_sizes();
  }

  // After entries or contents have changed.
  void set_sizes() {
    manifest_head.head.n_descsz = static_cast<std::uint32_t>(
        solo5::manifest_note_padding + sizeof manifest + entries.size() * sizeof entries[0]);
    abi_note.p_offset = sizeof header + 4 * sizeof(Elf64_Phdr);
    abi_note.p_filesz = sizeof abi_head + sizeof abi;
    manifest_note.p_offset = abi_note.p_offset + abi_note.p_filesz;
    manifest_note.p_filesz = sizeof manifest_head + manifest_head.head.n_descsz;
    code.p_offset = manifest_note.p_offset + manifest_note.p_filesz;
    code.p_filesz = code.p_memsz = code_bytes.size();
    data.p_offset = code.p_offset + code.p_filesz;
    data.p_filesz = data_bytes.size();
  }

  [[nodiscard]] std::string bytes() const {
    std::string out;
    auto put = [&](const auto& part) {
      out.append(reinterpret_cast<const char*>(&part), sizeof part);
    };
    put(header);
    for (const Elf64_Phdr* one : {&code, &data, &abi_note, &manifest_note}) put(*one);
    put(abi_head);
    put(abi);
    put(manifest_head);
    out.append(solo5::manifest_note_padding, '\0');
    put(manifest);
    for (const solo5::ManifestEntry& entry : entries) put(entry);
    return out + code_bytes + data_bytes;
  }

  Elf64_Ehdr header{};
  Elf64_Phdr code{}, data{}, abi_note{}, manifest_note{};
  Note abi_head, manifest_head;
  solo5::AbiNote abi{};
  solo5::ManifestHeader manifest{};
  std::vector<solo5::ManifestEntry> entries;
  std::string code_bytes = std::string(32, '\x90');
  std::string data_bytes = "data";
};

}  // namespace hvt_test
