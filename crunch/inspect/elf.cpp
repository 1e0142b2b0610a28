// SPDX-License-Identifier: ISC
#include "crunch/inspect/elf.hpp"

#include <elf.h>

#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "crunch/failure.hpp"

namespace crunch::inspect {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are read as they are");

class Elf {
 public:
  Elf(const ReadAt& read, std::uint64_t file_bytes, const std::string& path)
      : read_(read), file_bytes_(file_bytes), path_(path) {
    if (file_bytes < SELFMAG) refuse("is not an ELF file, so it is no image that crunch made");
    std::array<unsigned char, SELFMAG> magic{};
    take(0, magic, "its header");
    if (std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0) {
      refuse("is not an ELF file, so it is no image that crunch made");
    }
    take(0, std::span(&header_, 1), "its header");
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB) {
      refuse("is an ELF file, but not a 64-bit little-endian one");
    }
    if (header_.e_shoff == 0 || header_.e_shnum == 0) {
      refuse("has no sections; was it stripped of them?");
    }
    if (header_.e_shentsize != sizeof(Elf64_Shdr)) refuse("is damaged: odd section headers");
    if (header_.e_shstrndx >= header_.e_shnum) refuse("is damaged: its sections have no names");
    names_ = section_at(header_.e_shstrndx);
  }

  std::optional<Section> find(std::string_view name) const {
    for (unsigned i = 0; i < header_.e_shnum; ++i) {
      Elf64_Shdr section = section_at(i);
      if (!is_called(section, name)) continue;
      if (section.sh_type == SHT_NOBITS) refuse("is damaged: " + std::string(name) + " is empty");
      if (section.sh_size > section_bytes_max) refuse("is damaged: a section is too large");
      check_inside(section.sh_offset, section.sh_size, "its section " + std::string(name));
      return Section{section.sh_offset, section.sh_size};
    }
    return std::nullopt;
  }

  std::string bytes_of(const Section& section, std::string_view name) const {
    std::string bytes(section.size_bytes, '\0');
    take(section.offset, std::span(bytes), "its section " + std::string(name));
    return bytes;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Failure(in_quotes(path_) + " " + why);
  }

  void check_inside(std::uint64_t offset, std::uint64_t size, const std::string& what) const {
    if (offset <= file_bytes_ && size <= file_bytes_ - offset) return;
    refuse("is cut off: " + what + " lies beyond its end");
  }

  template <class T, std::size_t extent>
  void take(std::uint64_t offset, std::span<T, extent> out, const std::string& what) const {
    check_inside(offset, out.size_bytes(), what);
    base::MutableBytes bytes = std::as_writable_bytes(out);
    if (read_(offset, bytes) != bytes.size()) refuse("became shorter while it was being read");
  }
  template <class T, std::size_t size>
  void take(std::uint64_t offset, std::array<T, size>& out, const std::string& what) const {
    take(offset, std::span(out), what);
  }

  [[nodiscard]] Elf64_Shdr section_at(unsigned i) const {
    std::uint64_t skipped = std::uint64_t{i} * sizeof(Elf64_Shdr);
    if (header_.e_shoff > file_bytes_ || skipped > file_bytes_) {
      refuse("is cut off: its section headers lie beyond its end");
    }
    Elf64_Shdr section{};
    take(header_.e_shoff + skipped, std::span(&section, 1), "its section headers");
    return section;
  }

  [[nodiscard]] bool is_called(const Elf64_Shdr& section, std::string_view name) const {
    if (section.sh_name > names_.sh_size || name.size() + 1 > names_.sh_size - section.sh_name) {
      return false;
    }
    check_inside(names_.sh_offset, names_.sh_size, "the names of its sections");
    std::string text(name.size() + 1, '\0');
    take(names_.sh_offset + section.sh_name, std::span(text), "the names of its sections");
    return std::string_view(text).substr(0, name.size()) == name && text.back() == '\0';
  }

  const ReadAt& read_;
  std::uint64_t file_bytes_;
  const std::string& path_;
  Elf64_Ehdr header_{};
  Elf64_Shdr names_{};
};

}  // namespace

std::optional<Section> find_section(const ReadAt& read, std::uint64_t file_bytes,
                                    std::string_view name, const std::string& path) {
  return Elf(read, file_bytes, path).find(name);
}

std::optional<std::string> read_section(const ReadAt& read, std::uint64_t file_bytes,
                                        std::string_view name, const std::string& path) {
  const Elf elf(read, file_bytes, path);
  const auto found = elf.find(name);
  return found ? std::optional(elf.bytes_of(*found, name)) : std::nullopt;
}

}  // namespace crunch::inspect
