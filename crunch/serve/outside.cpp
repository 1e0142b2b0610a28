// SPDX-License-Identifier: ISC
#include "crunch/serve/outside.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>

#include "crunch/process.hpp"

namespace crunch::serve {
namespace {

// What is used of qrencode.h, as libqrencode 4 has it: its ABI is the library's version.
constexpr const char* qr_library = "libqrencode.so.4";
struct QrCode {
  int version;
  int width;            // modules
  unsigned char* data;  // one byte each; bit 0: dark
};
using QrEncode = QrCode*(const char* text, int version, int level, int hint, int case_sensitive);
using QrRelease = void(QrCode* code);
constexpr int any_version = 0, low_correction = 0, eight_bits = 2, keep_case = 1;
constexpr int quiet_zone = 2;  // modules; the standard's 4 take too much of a terminal

}  // namespace

std::vector<std::string> network_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, ::freeifaddrs);
  std::vector<std::string> four, six;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    const bool is_used = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (one->ifa_addr == nullptr || !is_used) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
      four.emplace_back(text.data());
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) continue;  // no browser takes its zone
      inet_ntop(AF_INET6, &address->sin6_addr, text.data(), text.size());
      six.push_back('[' + std::string(text.data()) + ']');
    }
  }
  four.insert(four.end(), six.begin(), six.end());
  return four;
}

std::string qr_code(const std::string& text) {
  void* const library = ::dlopen(qr_library, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {};
  auto* const encode = reinterpret_cast<QrEncode*>(::dlsym(library, "QRcode_encodeString"));
  auto* const release = reinterpret_cast<QrRelease*>(::dlsym(library, "QRcode_free"));
  if (encode == nullptr || release == nullptr) return {};
  const std::unique_ptr<QrCode, QrRelease*> code(
      encode(text.c_str(), any_version, low_correction, eight_bits, keep_case), release);
  if (code == nullptr) return {};
  auto is_dark = [&code](int x, int y) {
    const bool is_inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return is_inside && (code->data[y * code->width + x] & 1U) != 0;
  };
  // Two rows in a line. What is drawn are the light modules, on whatever is behind: terminals are
  // dark or light, so the colours are set.
  std::string out;
  for (int y = -quiet_zone; y < code->width + quiet_zone; y += 2) {
    out += "\033[40;97m";
    for (int x = -quiet_zone; x < code->width + quiet_zone; ++x) {
      const bool upper = is_dark(x, y), lower = is_dark(x, y + 1);
      out += upper ? (lower ? " " : "\u2584") : (lower ? "\u2580" : "\u2588");
    }
    out += "\033[0m\n";
  }
  return out;
}

bool open_browser(const std::string& url) {
  std::vector<std::string> names{"xdg-open", "wslview", "open", "sensible-browser"};
  if (const char* chosen = std::getenv("BROWSER"); chosen != nullptr && *chosen != '\0') {
    names.insert(names.begin(), chosen);
  }
  for (const std::string& name : names) {
    const std::optional<std::string> program = find_program(name);
    if (!program) continue;
    // Twice, so that no process has to wait for it.
    const pid_t child = ::fork();
    if (child < 0) return false;
    if (child == 0) {
      if (::fork() != 0) ::_exit(0);
      ::setsid();
      const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      for (const int stream : {0, 1, 2}) ::dup2(nothing, stream);
      ::execl(program->c_str(), name.c_str(), url.c_str(), nullptr);
      ::_exit(127);
    }
    ::waitpid(child, nullptr, 0);
    return true;
  }
  return false;
}

}  // namespace crunch::serve
