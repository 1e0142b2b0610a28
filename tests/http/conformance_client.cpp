// SPDX-License-Identifier: ISC
// tests/http/conformance_client.cpp: the conformance table against a running server.
//
//   conformance_client --write-site DIR          writes the site that the table is about
//   conformance_client --host 127.0.0.1 --port N [--encodings] [--cut BYTES]
//
// Method:  plain blocking sockets. --encodings: the server has compressed forms of style.css.
//          --cut: sends in pieces of so many bytes, each on its own. Exit 0: all rows hold; 1: some
//          do not, each said on standard output; 2: usage.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "tests/http/conformance.hpp"

namespace {

using http_test::Row;

struct Arguments {
  std::string host = "127.0.0.1";
  std::string port;
  std::string write_site;
  std::size_t cut = 0;
  bool encodings = false;
};

class SocketPeer final : public http_test::Peer {
 public:
  explicit SocketPeer(const Arguments& arguments) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(arguments.host.c_str(), arguments.port.c_str(), &hints, &found) != 0) {
      throw std::runtime_error("no such host or port: " + arguments.host + " " + arguments.port);
    }
    fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd_, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!connected) throw std::runtime_error(std::string("cannot connect: ") + strerror(errno));
    timeval most{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
    int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~SocketPeer() override { close(fd_); }
  SocketPeer(const SocketPeer&) = delete;
  SocketPeer& operator=(const SocketPeer&) = delete;

  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      // A server that has refused need not read on: what it answered is read below.
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  bool receive(std::string& into) override {
    char buffer[65536];
    ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      ended_ = got == 0;
      return false;
    }
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  bool is_ended() override {
    char byte;
    ssize_t got = recv(fd_, &byte, 1, MSG_PEEK);
    return ended_ || got == 0;
  }

 private:
  int fd_ = -1;
  bool ended_ = false;
};

int write_site(const std::string& directory) {
  namespace fs = std::filesystem;
  for (const http_test::File& file : http_test::site()) {
    fs::path path = fs::path(directory) / file.key;
    fs::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out << file.bytes;
    out.close();
    timespec then{.tv_sec = http_test::site_modified_s, .tv_nsec = 0};
    timespec times[2] = {then, then};
    if (!out || utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) {
      std::fprintf(stderr, "cannot write %s: is there room, and may you?\n", path.c_str());
      return 1;
    }
  }
  return 0;
}

std::vector<std::size_t> cuts_of(const Row& row, std::size_t step) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = step; step > 0 && at < row.request.size(); at += step) cuts.push_back(at);
  return cuts;
}

int run(const Arguments& arguments) {
  auto make_peer = [&] { return std::make_unique<SocketPeer>(arguments); };
  http_test::Etags etags = http_test::collect_etags(make_peer);
  int faults = 0, rows = 0;
  for (const Row& row : http_test::conformance_table()) {
    if (row.needs_encodings && !arguments.encodings) continue;
    ++rows;
    std::string fault = http_test::run_row(row, etags, make_peer, cuts_of(row, arguments.cut));
    if (fault.empty()) continue;
    ++faults;
    std::printf("%s: %s\n", row.name.c_str(), fault.c_str());
  }
  std::printf("%d rows, %d faults\n", rows, faults);
  return faults == 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    if (name == "--encodings") {
      arguments.encodings = true;
      continue;
    }
    if (++i >= argc) return false;
    if (name == "--host") {
      arguments.host = argv[i];
    } else if (name == "--port") {
      arguments.port = argv[i];
    } else if (name == "--write-site") {
      arguments.write_site = argv[i];
    } else if (name == "--cut") {
      arguments.cut = std::strtoull(argv[i], nullptr, 10);
    } else {
      return false;
    }
  }
  return !arguments.port.empty() || !arguments.write_site.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: %s --write-site DIR\n"
                 "       %s --host HOST --port PORT [--encodings] [--cut BYTES]\n",
                 argv[0], argv[0]);
    return 2;
  }
  try {
    return arguments.write_site.empty() ? run(arguments) : write_site(arguments.write_site);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
