// SPDX-License-Identifier: ISC
#include "crunch/package/machine.hpp"

#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "crunch/failure.hpp"
#include "crunch/inspect/image.hpp"

namespace crunch::package {
namespace {

namespace fs = std::filesystem;

// The forms of descriptions (XML, JSON, a shell's words) can quote everything else.
void check_text(std::string_view what, std::string_view text) {
  const bool is_plain = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (is_plain) return;
  throw Usage(std::string(what) + " cannot have control characters: " + in_quotes(text));
}

std::string absolute_path(std::string_view what, const std::string& path) {
  check_text(what, path);
  return fs::weakly_canonical(fs::absolute(path)).string();
}

// 0: the image has no such port.
std::uint16_t port_of(const inspect::Image& image, std::string_view name) {
  const inspect::Key* const key = image.key(name);
  std::uint16_t port = 0;
  if (key != nullptr) {
    std::from_chars(key->value.data(), key->value.data() + key->value.size(), port);
  }
  return port;
}

}  // namespace

Machine machine_of(const std::string& path, std::string_view name, const MachineWords& words) {
  const inspect::Image image = inspect::read_image(path);
  if (image.target != "virtio") {
    throw Failure(in_quotes(path) +
                  (image.target.empty() ? " says no target" : " is for " + image.target) +
                  "; what runs as a machine is built with crunch build -t virtio");
  }
  check_text("--boot", words.boot_line);
  check_text("--network", words.network);
  if (words.network.size() >= IFNAMSIZ) {
    throw Usage("--network: " + in_quotes(words.network) +
                " is too long for the name of a network device: at most 15 bytes");
  }
  constexpr std::size_t disks_max = 16;  // as crunch run
  if (words.disks.size() > disks_max) {
    throw Usage("--disk is given " + std::to_string(words.disks.size()) + " times; a machine has " +
                "at most " + std::to_string(disks_max) + " disks");
  }
  Machine machine{.name = std::string(name),
                  .image = absolute_path("the image's path", path),
                  .boot_line = words.boot_line,
                  .network = words.network,
                  .forwards = {},
                  .disks = {},
                  .memory_mib = words.memory_mib,
                  .is_emulated = words.is_emulated};
  for (const std::string& disk : words.disks) {
    machine.disks.push_back(absolute_path("--disk", disk));
  }
  if (machine.network.empty()) {
    constexpr std::uint16_t https = 8443;
    const std::uint16_t http = port_of(image, "http-port");
    if (http != 0) machine.forwards.push_back({8080, http});
    // The redirect names the port inside, so that is the same.
    if (port_of(image, "https-port") != 0 && !image.certificates.empty()) {
      machine.forwards.push_back({https, https});
      std::string& line = machine.boot_line;
      line = "--https-port=" + std::to_string(https) + (line.empty() ? "" : " ") + line;
    }
  }
  return machine;
}

}  // namespace crunch::package
