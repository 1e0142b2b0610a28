// SPDX-License-Identifier: ISC
// net/sockets/resolv_conf.hpp: the DNS servers of the machine that a process runs on.
//
// Models:  net::resolver::ServerSource.   Used by: config/parts.   Source: resolv.conf(5).
// Rules:   1. Servers that were configured are the only ones; then the file is never read.
//          2. The file is read again when somebody asks and its last reading is read_again old: it
//             changes when a machine comes to another network.
//          3. A file that cannot be read now leaves the servers as they were.

#pragma once

#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "net/name_servers.hpp"

namespace net::sockets {

class ResolvConf {
 public:
  static constexpr std::string_view usual_path = "/etc/resolv.conf";
  static constexpr base::Duration read_again = std::chrono::seconds(5);

  // Throws std::bad_alloc.
  explicit ResolvConf(std::string path = std::string(usual_path)) : path_(std::move(path)) {}

  void configure(std::span<const Endpoint> servers) noexcept;
  [[nodiscard]] NameServers::List list(base::Instant now) noexcept;

 private:
  void read() noexcept;

  std::string path_;
  NameServers::List servers_;
  base::Instant read_at_{};
  bool has_read_ = false;
  bool is_configured_ = false;
};

}  // namespace net::sockets
