// SPDX-License-Identifier: ISC
#include "net/sockets/image_file.hpp"

#include <csignal>
#include <cstring>

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

namespace net::sockets {

namespace {

bool is_read_only(const ElfW(Phdr) & header) {
  return header.p_type == PT_LOAD && (header.p_flags & PF_W) == 0 && header.p_filesz > 0;
}

// True when `fd` is the file that this program was loaded from, as far as its program headers tell.
// (Under an emulator, /proc/self/exe may be the emulator.)
bool is_file_of(int fd, const dl_phdr_info& program) {
  ElfW(Ehdr) header{};
  if (pread(fd, &header, sizeof header, 0) != sizeof header) return false;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  if (header.e_phnum != program.dlpi_phnum || header.e_phentsize != sizeof(ElfW(Phdr)))
    return false;
  std::vector<ElfW(Phdr)> headers(header.e_phnum);
  const std::size_t size = headers.size() * sizeof headers[0];
  return pread(fd, headers.data(), size, static_cast<off_t>(header.e_phoff)) ==
             static_cast<ssize_t>(size) &&
         std::memcmp(headers.data(), program.dlpi_phdr, size) == 0;
}

}  // namespace

ImageFile::ImageFile() noexcept : fd_(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) return;
  std::signal(SIGPIPE, SIG_IGN);
  // The first object that it visits is the program itself.
  auto visit = [](dl_phdr_info* program, std::size_t, void* self) {
    ImageFile& file = *static_cast<ImageFile*>(self);
    if (!is_file_of(file.fd_, *program)) return 1;
    for (std::size_t i = 0; i < program->dlpi_phnum; ++i) {
      const ElfW(Phdr)& header = program->dlpi_phdr[i];
      if (!is_read_only(header)) continue;
      const std::uintptr_t start = program->dlpi_addr + header.p_vaddr;
      file.segments_.push_back(
          {start, start + header.p_filesz, static_cast<std::int64_t>(header.p_offset)});
    }
    return 1;
  };
  dl_iterate_phdr(visit, this);
}

ImageFile::~ImageFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<std::int64_t> ImageFile::find(base::Bytes bytes) const noexcept {
  const auto start = reinterpret_cast<std::uintptr_t>(bytes.data());
  for (const Segment& segment : segments_) {
    if (start < segment.start || start >= segment.end) continue;
    if (bytes.size() > segment.end - start) return {};
    return segment.file_offset + static_cast<std::int64_t>(start - segment.start);
  }
  return {};
}

}  // namespace net::sockets
