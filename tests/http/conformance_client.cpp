// SPDX-License-Identifier: ISC
// tests/http/conformance_client.cpp: the conformance table against a running server.
//
//   conformance_client --write-site DIR          writes the site that the table is about
//   conformance_client --host 127.0.0.1 --port N [--tls 1.2|1.3] [--http2] [--encodings]
//                      [--cut BYTES] [--streams N]
//
// Method:  plain blocking sockets, or TLS above them (SecurePeers). --http2: by HTTP/2, with prior
//          knowledge or by ALPN, all rows that it can say; --streams: so many at once on a
//          connection, 100 unless given. --encodings: the server has compressed forms of style.css.
//          --cut: sends in pieces of so many bytes, each on its own (over TLS: each a record). Exit
//          0: all rows hold; 1: some do not, each said on standard output; 2: usage.

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/http/conformance.hpp"
#include "tests/http/h2/conformance.hpp"
#include "tests/http/socket_peer.hpp"

namespace {

using http_test::Row;

struct Arguments {
  std::string host = "127.0.0.1";
  std::string port;
  std::string write_site;
  std::string tls;  // its version; empty: none
  std::size_t cut = 0;
  std::size_t streams = 100;
  bool encodings = false;
  bool http2 = false;
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

struct Result {
  int rows = 0, faults = 0;
  void report(const std::string& name, const std::string& fault) {
    ++faults;
    std::printf("%s: %s\n", name.c_str(), fault.c_str());
  }
};

template <class MakePeer>
Result run_http1(const Arguments& arguments, MakePeer make_peer) {
  Result result;
  http_test::Etags etags = http_test::collect_etags(make_peer);
  for (const Row& row : http_test::conformance_table()) {
    if (row.needs_encodings && !arguments.encodings) continue;
    ++result.rows;
    std::string fault = http_test::run_row(row, etags, make_peer, cuts_of(row, arguments.cut));
    if (!fault.empty()) result.report(row.name, fault);
  }
  return result;
}

template <class MakePeer>
Result run_http2(const Arguments& arguments, MakePeer make_peer) {
  Result result;
  http_test::Etags etags = h2_test::collect_etags(*make_peer());
  const std::string scheme = arguments.tls.empty() ? "http" : "https";
  std::vector<std::pair<Row, h2_test::Asked>> rows;
  const auto ask = [&] {
    result.rows += static_cast<int>(rows.size());
    h2_test::run_rows(rows, etags, *make_peer(), arguments.cut,
                      [&](const auto& name, const auto& fault) { result.report(name, fault); });
    rows.clear();
  };
  for (const Row& row : http_test::conformance_table()) {
    if (row.needs_encodings && !arguments.encodings) continue;
    auto asked = h2_test::asked_of(http_test::with_etags(row.request, etags), scheme);
    if (!asked) continue;
    rows.emplace_back(row, std::move(*asked));
    if (rows.size() == arguments.streams) ask();
  }
  if (!rows.empty()) ask();
  return result;
}

int run(const Arguments& arguments) {
  std::unique_ptr<http_test::SecurePeers> secure;
  if (!arguments.tls.empty()) {
    secure = http_test::make_secure_peers(arguments.tls, arguments.http2 ? "h2" : "http/1.1");
  }
  auto make_peer = [&]() -> std::unique_ptr<http_test::Peer> {
    auto plain = std::make_unique<http_test::SocketPeer>(arguments.host, arguments.port);
    if (secure) return secure->make(std::move(plain));
    return plain;
  };
  Result result =
      arguments.http2 ? run_http2(arguments, make_peer) : run_http1(arguments, make_peer);
  if (secure && secure->resumed_count() == 0) result.report("TLS", "no session was resumed");
  std::printf("%d rows, %d faults\n", result.rows, result.faults);
  return result.faults == 0 && result.rows > 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    if (name == "--encodings") {
      arguments.encodings = true;
      continue;
    }
    if (name == "--http2") {
      arguments.http2 = true;
      continue;
    }
    if (++i >= argc) return false;
    if (name == "--host") {
      arguments.host = argv[i];
    } else if (name == "--port") {
      arguments.port = argv[i];
    } else if (name == "--tls") {
      arguments.tls = argv[i];
    } else if (name == "--write-site") {
      arguments.write_site = argv[i];
    } else if (name == "--cut") {
      arguments.cut = std::strtoull(argv[i], nullptr, 10);
    } else if (name == "--streams") {
      arguments.streams = std::strtoull(argv[i], nullptr, 10);
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
                 "       %s --host HOST --port PORT [--tls 1.2|1.3] [--http2] [--encodings] "
                 "[--cut BYTES] [--streams N]\n",
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
