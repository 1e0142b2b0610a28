// SPDX-License-Identifier: ISC
// net/sockets/image_file.hpp: the running program's own file, as a place to send bytes from.
//
// Owns:    a descriptor of /proc/self/exe; without /proc (an empty chroot) it finds nothing, and
//          bytes are copied instead.
// Why:     what is in .rodata is also in the page cache, so sendfile sends it without copying: half
//          the CPU time of a body of 1 MiB (docs/benchmarks.md).
// Safe:    a running program's file cannot be written (ETXTBSY), and replacing it by name leaves
//          this one as it is.
// Source:  sendfile(2), dl_iterate_phdr(3), elf(5).

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"

namespace net::sockets {

class ImageFile {
 public:
  // From now on this process ignores SIGPIPE: sendfile knows no MSG_NOSIGNAL.
  ImageFile() noexcept;
  ~ImageFile();
  ImageFile(const ImageFile&) = delete;
  ImageFile& operator=(const ImageFile&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  // Where `bytes` stand in the file, if they are in a read-only segment of the program.
  [[nodiscard]] std::optional<std::int64_t> find(base::Bytes bytes) const noexcept;

 private:
  struct Segment {
    std::uintptr_t start;
    std::uintptr_t end;
    std::int64_t file_offset;
  };
  int fd_ = -1;
  std::vector<Segment> segments_;
};

}  // namespace net::sockets
