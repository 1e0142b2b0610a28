// SPDX-License-Identifier: ISC
#include "tender/image.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

namespace tender {

namespace {

using Refusal = base::Failure<std::string>;

constexpr std::uint64_t page_bytes = 0x1000;

// A T at `offset`, if all of it is there.
template <class T>
std::optional<T> at(base::Bytes bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string hex(std::uint64_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number != 0);
  return "0x" + text;
}

// Empty: it will do.
std::string why_not(const Elf64_Ehdr& header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "it is no ELF file";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return "it is no 64-bit little-endian ELF file";
  }
  if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_version != EV_CURRENT) {
    return "it is of an unknown version of ELF";
  }
  if (header.e_type != ET_EXEC) {
    return "it is of ELF type " + std::to_string(header.e_type) +
           ", where 2 (ET_EXEC, at fixed addresses) is needed";
  }
  if (header.e_machine != EM_X86_64) {
    return "it is for another processor (ELF machine " + std::to_string(header.e_machine) + ")";
  }
  if (header.e_ehsize != sizeof(Elf64_Ehdr) || header.e_phentsize != sizeof(Elf64_Phdr)) {
    return "its ELF headers have unknown sizes";
  }
  return {};
}

// The sentence for segment number `index`.
base::Failure<std::string> refuse_segment(std::size_t index, const std::string& why) {
  return Refusal("its segment " + std::to_string(index) + " " + why);
}

base::Result<Segment, std::string> read_segment(const Elf64_Phdr& header, std::size_t index,
                                                std::uint64_t file_bytes,
                                                std::uint64_t memory_bytes) {
  if (header.p_offset > file_bytes || header.p_filesz > file_bytes - header.p_offset) {
    return refuse_segment(index, "ends behind the file: the file is cut short");
  }
  if (header.p_filesz > header.p_memsz) {
    return refuse_segment(index, "has more bytes in the file than in memory");
  }
  if (header.p_vaddr < solo5::load_address_min) {
    return refuse_segment(index, "is at " + hex(header.p_vaddr) + ", below 1 MiB");
  }
  if (!std::has_single_bit(header.p_align) || header.p_align < page_bytes) {
    return refuse_segment(index, "has the alignment " + hex(header.p_align) +
                                     ", which is no power of two from 0x1000 on");
  }
  const bool writes = (header.p_flags & PF_W) != 0;
  const bool executes = (header.p_flags & PF_X) != 0;
  if (writes && executes) return refuse_segment(index, "is writable and executable");
  // memory_bytes is at most 4 GiB, so that nothing below wraps.
  const std::string too_large =
      "ends behind the guest's memory of " + std::to_string(memory_bytes >> 20U) + " MiB";
  if (header.p_vaddr >= memory_bytes || header.p_memsz > memory_bytes - header.p_vaddr ||
      header.p_align > solo5::memory_bytes_max) {
    return refuse_segment(index, too_large);
  }
  const std::uint64_t mask = header.p_align - 1;
  const std::uint64_t end = (header.p_vaddr + header.p_memsz + mask) & ~mask;
  if (end > memory_bytes) return refuse_segment(index, too_large);
  Segment out;
  out.begin = header.p_vaddr & ~mask;
  if (out.begin < solo5::load_address_min) {
    return refuse_segment(index, "begins below 1 MiB once it is aligned");
  }
  out.end = end;
  out.address = header.p_vaddr;
  out.file_offset = header.p_offset;
  out.file_bytes = header.p_filesz;
  out.writes = writes;
  out.executes = executes;
  return out;
}

// The descriptor of the first note of a PT_NOTE, if it is Solo5's and of this type.
std::optional<base::Bytes> descriptor_of(base::Bytes file, const Elf64_Phdr& header,
                                         std::uint32_t type) {
  if (header.p_offset > file.size() || header.p_filesz > file.size() - header.p_offset) {
    return std::nullopt;
  }
  const base::Bytes note = file.subspan(header.p_offset, header.p_filesz);
  const auto head = at<Elf64_Nhdr>(note, 0);
  if (!head || note.size() < solo5::note_header_bytes) return std::nullopt;
  if (head->n_namesz != solo5::note_name_bytes || head->n_type != type) return std::nullopt;
  if (std::memcmp(note.data() + sizeof(Elf64_Nhdr), solo5::note_name, sizeof solo5::note_name) !=
      0) {
    return std::nullopt;
  }
  if (head->n_descsz > note.size() - solo5::note_header_bytes) return std::nullopt;
  return note.subspan(solo5::note_header_bytes, head->n_descsz);
}

std::optional<base::Bytes> find_note(base::Bytes file, const std::vector<Elf64_Phdr>& headers,
                                     std::uint32_t type) {
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_NOTE) continue;
    if (auto found = descriptor_of(file, header, type)) return found;
  }
  return std::nullopt;
}

std::string why_not_abi(base::Bytes file, const std::vector<Elf64_Phdr>& headers) {
  const auto note = find_note(file, headers, solo5::abi_note_type);
  if (!note) return "it has no Solo5 ABI note: it is no image for a Solo5 tender";
  const auto abi = at<solo5::AbiNote>(*note, 0);
  if (!abi || note->size() != sizeof(solo5::AbiNote)) return "its Solo5 ABI note has a wrong size";
  if (abi->target != solo5::target_hvt) {
    return "it is for another of Solo5's targets (number " + std::to_string(abi->target) +
           "), not for hvt";
  }
  if (abi->version != solo5::abi_version) {
    return "it is of version " + std::to_string(abi->version) +
           " of the hvt ABI; this tender has version 2";
  }
  return {};
}

// Empty: the device will do. `before`: the entries that come before it.
std::string why_not_device(const solo5::ManifestEntry& entry, base::Bytes raw,
                           const std::vector<solo5::ManifestEntry>& before) {
  const std::size_t index = before.size();
  const std::string which = "its manifest's entry " + std::to_string(index);
  // As a number: to read a bool or an enumeration of unknown value would be undefined.
  const auto type = *at<std::uint32_t>(raw, offsetof(solo5::ManifestEntry, type));
  if (entry.attached != 0) return which + " says that it is attached already";
  const auto* end = static_cast<const char*>(std::memchr(entry.name, 0, sizeof entry.name));
  if (end == nullptr) return which + " has a name without an end";
  const std::string_view name(entry.name, static_cast<std::size_t>(end - entry.name));
  if (index == 0) {
    const bool is_reserved = type == static_cast<std::uint32_t>(solo5::DeviceType::reserved_first);
    return is_reserved && name.empty() ? std::string() : which + " is not the reserved one";
  }
  if (type != static_cast<std::uint32_t>(solo5::DeviceType::block) &&
      type != static_cast<std::uint32_t>(solo5::DeviceType::net)) {
    return which + " is of the unknown type " + std::to_string(type);
  }
  const bool is_named = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
  if (!is_named) return which + " has a name that is not made of letters and digits";
  const bool is_double = std::ranges::any_of(
      before, [&](const solo5::ManifestEntry& other) { return name == other.name; });
  return is_double ? which + " has the name of another" : std::string();
}

base::Result<std::vector<solo5::ManifestEntry>, std::string> read_manifest(
    base::Bytes file, const std::vector<Elf64_Phdr>& headers) {
  const auto note = find_note(file, headers, solo5::manifest_note_type);
  if (!note) return Refusal("it has no Solo5 manifest of its devices");
  const auto head = at<solo5::ManifestHeader>(*note, solo5::manifest_note_padding);
  if (!head) return Refusal("its manifest has a wrong size");
  if (head->version != solo5::manifest_version) {
    return Refusal("its manifest is of version " + std::to_string(head->version) + ", not 1");
  }
  if (head->count < 1 || head->count > solo5::manifest_entries_max) {
    return Refusal("its manifest has " + std::to_string(head->count) +
                   " entries, where 1 to 64 may be");
  }
  constexpr std::size_t before = solo5::manifest_note_padding + sizeof(solo5::ManifestHeader);
  if (note->size() != before + sizeof(solo5::ManifestEntry) * head->count) {
    return Refusal("its manifest has a wrong size");
  }
  std::vector<solo5::ManifestEntry> entries;
  for (std::uint32_t i = 0; i < head->count; ++i) {
    const base::Bytes raw =
        note->subspan(before + i * sizeof(solo5::ManifestEntry), sizeof(solo5::ManifestEntry));
    const solo5::ManifestEntry entry = *at<solo5::ManifestEntry>(raw, 0);
    if (std::string why = why_not_device(entry, raw, entries); !why.empty()) return Refusal(why);
    entries.push_back(entry);
  }
  return entries;
}

base::Result<std::vector<Segment>, std::string> read_segments(
    base::Bytes file, const std::vector<Elf64_Phdr>& headers, std::uint64_t memory_bytes) {
  std::vector<Segment> out;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    // A part that is nothing but zeros is not counted: memory is zeroed anyway.
    if (headers[i].p_type != PT_LOAD || headers[i].p_filesz == 0) continue;
    auto segment = read_segment(headers[i], i, file.size(), memory_bytes);
    if (!segment) return Refusal(segment.error());
    if (!out.empty() && segment->begin < out.back().end) {
      return refuse_segment(i, "overlaps the one before it, or is not in order of address");
    }
    out.push_back(*segment);
  }
  if (out.empty()) return Refusal("it has nothing to load");
  return out;
}

}  // namespace

base::Result<Image, std::string> read_image(base::Bytes file, std::uint64_t memory_bytes) {
  const auto header = at<Elf64_Ehdr>(file, 0);
  if (!header) return Refusal("it is too short for an ELF file");
  if (std::string why = why_not(*header); !why.empty()) return Refusal(why);
  std::vector<Elf64_Phdr> headers;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const std::uint64_t skip = i * sizeof(Elf64_Phdr);
    if (header->e_phoff > file.size() || skip > file.size() - header->e_phoff) break;
    const auto one = at<Elf64_Phdr>(file, header->e_phoff + skip);
    if (!one) break;
    headers.push_back(*one);
  }
  if (headers.size() != header->e_phnum) {
    return Refusal("its program headers end behind the file: the file is cut short");
  }
  if (std::string why = why_not_abi(file, headers); !why.empty()) return Refusal(why);
  auto manifest = read_manifest(file, headers);
  if (!manifest) return Refusal(manifest.error());
  auto segments = read_segments(file, headers, memory_bytes);
  if (!segments) return Refusal(segments.error());
  Image out;
  out.entry = header->e_entry;
  out.manifest = std::move(*manifest);
  out.segments = std::move(*segments);
  out.kernel_end = out.segments.back().end;
  const bool enters_code = std::ranges::any_of(out.segments, [&](const Segment& segment) {
    return segment.executes && out.entry >= segment.begin && out.entry < segment.end;
  });
  if (!enters_code) return Refusal("its entry " + hex(out.entry) + " lies outside its code");
  return out;
}

}  // namespace tender
