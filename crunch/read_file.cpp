// SPDX-License-Identifier: ISC
#include "crunch/read_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "crunch/failure.hpp"

namespace crunch {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

}  // namespace

std::size_t read_at(int fd, std::uint64_t offset, base::MutableBytes out, std::string_view path) {
  std::size_t done = 0;
  while (done < out.size()) {
    ssize_t count =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::string read_file(const std::string& path, std::uint64_t bytes_max) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) fail("open", path);
  std::string text;
  std::vector<std::byte> piece(piece_bytes);
  while (std::size_t count = read_at(file.get(), text.size(), piece, path)) {
    text += base::text_of(base::Bytes(piece).first(count));
    if (text.size() > bytes_max) {
      throw Failure(in_quotes(path) + " has more than " + std::to_string(bytes_max) +
                    " bytes; is it the right file?");
    }
  }
  return text;
}

}  // namespace crunch
