// SPDX-License-Identifier: ISC
#include "crunch/build/appended.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "crunch/embed/emit.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch::build {
namespace {

using embed::placeholder_bytes;
using embed::placeholder_mark;

constexpr std::uint64_t page_bytes = 4096;
constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

std::uint64_t round_up(std::uint64_t bytes) { return (bytes + page_bytes - 1) & ~(page_bytes - 1); }

class File {
 public:
  File(const std::string& path, int flags)
      : path_(path), file_(::open(path.c_str(), flags | O_CLOEXEC)) {
    if (!file_) fail("open", path);
  }

  [[nodiscard]] std::uint64_t size() const {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) fail("look at", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }
  [[nodiscard]] int get() const { return file_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  template <class T>
  [[nodiscard]] std::vector<T> read(std::uint64_t offset, std::size_t count) const {
    std::vector<T> items(count);
    const auto bytes = std::as_writable_bytes(std::span(items));
    if (read_at(file_.get(), offset, bytes, path_) != bytes.size()) {
      throw Failure("the linker wrote an image that is cut off");
    }
    return items;
  }

  void write(std::uint64_t offset, base::Bytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("write", path_);
      offset += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  void set_size(std::uint64_t bytes) const {
    if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0) fail("write", path_);
  }

 private:
  const std::string path_;
  Descriptor file_;
};

// Copies [from, end) of `in`, which holds data, to the offset `to` of `out`.
void copy_data(const File& in, off_t from, off_t end, const File& out, std::uint64_t to) {
  std::vector<std::byte> piece(piece_bytes);
  while (from < end) {
    check_stopped();
    const auto left = static_cast<std::size_t>(end - from);
    auto place = static_cast<off_t>(to);
    // Without a copy, where the file system can share the blocks.
    const ssize_t shared =
        ::copy_file_range(in.get(), &from, out.get(), &place, std::min(left, piece_bytes * 64), 0);
    if (shared > 0) {
      to += static_cast<std::uint64_t>(shared);
      continue;
    }
    const std::size_t count =
        read_at(in.get(), static_cast<std::uint64_t>(from),
                std::span(piece).first(std::min(left, piece.size())), in.path());
    if (count == 0) throw Failure(in_quotes(in.path()) + " became shorter; run crunch again");
    out.write(to, std::span(piece).first(count));
    from += static_cast<off_t>(count);
    to += count;
  }
}

void copy_all(const File& in, const File& out, std::uint64_t to) {
  const auto size = static_cast<off_t>(in.size());
  for (off_t at = 0; at < size;) {
    off_t data = ::lseek(in.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    if (data < 0) data = at;                // a file system that knows no holes
    off_t end = ::lseek(in.get(), data, SEEK_HOLE);
    if (end < 0) end = size;
    copy_data(in, data, end, out, to + static_cast<std::uint64_t>(data));
    at = end;
  }
  out.set_size(to + static_cast<std::uint64_t>(size));
}

// The last of the segments in memory.
Elf64_Phdr& last_segment(std::vector<Elf64_Phdr>& segments) {
  Elf64_Phdr* last = nullptr;
  for (Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (last == nullptr || segment.p_vaddr > last->p_vaddr) last = &segment;
  }
  if (last == nullptr) throw Failure("the linker wrote an image without segments");
  return *last;
}

}  // namespace

void append_content(const std::string& image, const std::string& content) {
  const File out(image, O_RDWR);
  const File in(content, O_RDONLY);
  const auto header = out.read<Elf64_Ehdr>(0, 1).front();
  auto segments = out.read<Elf64_Phdr>(header.e_phoff, header.e_phnum);
  auto sections = out.read<Elf64_Shdr>(header.e_shoff, header.e_shnum);
  Elf64_Phdr& segment = last_segment(segments);

  const std::uint64_t end = segment.p_offset + segment.p_filesz;
  const bool has_room =
      segment.p_filesz >= placeholder_bytes && segment.p_filesz == segment.p_memsz;
  const std::uint64_t place = has_room ? end - placeholder_bytes : 0;
  const auto mark = out.read<char>(place, placeholder_mark.size());
  if (!has_room || std::string_view(mark.data(), mark.size()) != placeholder_mark) {
    throw Failure(
        "the image cannot take so large a site: the linker put something behind its content; a "
        "configuration with further embedded sites takes less than 1 GiB in all");
  }
  const std::uint64_t in_front = place - segment.p_offset;
  const std::uint64_t moved = round_up(out.size()) + segment.p_vaddr % page_bytes;
  const auto bytes_in_front = out.read<std::byte>(segment.p_offset, in_front);
  out.write(moved, bytes_in_front);
  copy_all(in, out, moved + in_front);

  for (Elf64_Shdr& section : sections) {
    if (section.sh_type == SHT_NOBITS || section.sh_offset < segment.p_offset ||
        section.sh_offset + section.sh_size != end || (section.sh_flags & SHF_ALLOC) == 0) {
      continue;
    }
    section.sh_offset += moved - segment.p_offset;
    section.sh_size += in.size() - placeholder_bytes;
  }
  segment.p_offset = moved;
  segment.p_filesz = segment.p_memsz = in_front + in.size();
  segment.p_align = page_bytes;
  out.write(header.e_phoff, std::as_bytes(std::span(segments)));
  out.write(header.e_shoff, std::as_bytes(std::span(sections)));
}

}  // namespace crunch::build
