// SPDX-License-Identifier: ISC
#include "net/sockets/resolv_conf.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace net::sockets {

void ResolvConf::configure(std::span<const Endpoint> servers) noexcept {
  is_configured_ = !servers.empty();
  servers_ = {};
  for (const Endpoint& server : servers) servers_.add(server);
}

NameServers::List ResolvConf::list(base::Instant now) noexcept {
  if (!is_configured_ && (!has_read_ || now - read_at_ >= read_again)) {
    has_read_ = true;
    read_at_ = now;
    read();
  }
  return servers_;
}

void ResolvConf::read() noexcept {
  const base::Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return;
  // Servers stand at the front of longer files, too.
  std::array<char, 8192> text{};
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  servers_ = name_servers_of_file({text.data(), size});
}

}  // namespace net::sockets
