// SPDX-License-Identifier: ISC
#include "crunch/package/image.hpp"

#include <elf.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>

#include "base/bytes.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/image.hpp"

namespace crunch::package {
namespace {

std::string architecture_of(const std::string& path) {
  const std::string head = read_file(path);
  constexpr std::size_t machine_at = offsetof(Elf64_Ehdr, e_machine);
  if (head.size() < sizeof(Elf64_Ehdr)) throw Failure(in_quotes(path) + " is no image");
  const auto byte = [&head](std::size_t at) { return static_cast<unsigned char>(head[at]); };
  const unsigned machine = byte(machine_at) | unsigned{byte(machine_at + 1)} << 8U;
  if (machine == EM_X86_64) return "amd64";
  if (machine == EM_AARCH64) return "arm64";
  throw Failure(in_quotes(path) + " is for a processor that containers have no name for here (" +
                std::to_string(machine) + ")");
}

}  // namespace

Image read_image(const std::string& path) {
  const inspect::Image found = inspect::read_image(path);
  const std::string& target = found.target;
  if (target != "unix") {
    throw Failure(in_quotes(path) + (target.empty() ? " says no target" : " is for " + target) +
                  "; what runs as a process of Linux is built with crunch build -t unix");
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail("read the image", path);
  Image image;
  image.path = path;
  image.name = std::filesystem::path(path).filename().string();
  image.architecture = architecture_of(path);
  image.version = found.crunch;
  if (!found.sites.empty()) image.site_digest = found.sites.front().digest;
  image.has_https = !found.certificates.empty();
  image.has_https_port = found.key("https-port") != nullptr;
  image.has_management = found.key("management-port") != nullptr;
  if (found.key("acme") != nullptr) {
    image.lacks = "gets its certificate from a CA: it needs --acme-agree, a vault and a way out";
  } else if (found.key("archive") != nullptr) {
    image.lacks = "serves an archive, which --archive names";
  }
  image.is_secret = (status.st_mode & S_IXOTH) == 0;
  return image;
}

void check_startable(const Image& image) {
  if (image.lacks.empty()) return;
  throw Failure(in_quotes(image.path) + " " + image.lacks +
                ", and what crunch package writes has no place for that; write its units or "
                "objects by hand (docs/operations.md)");
}

void check_name(std::string_view what, std::string_view name) {
  const bool is_label = !name.empty() && name.size() <= 63 && name.front() != '-' &&
                        name.back() != '-' && std::ranges::all_of(name, [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                        });
  if (is_label) return;
  throw Usage(in_quotes(name) + " cannot be " + std::string(what) +
              ": it takes small letters, digits and '-', up to 63 of them; say one with --name");
}

void check_word(std::string_view option, std::string_view word) {
  auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool is_word = word.size() <= 253 && std::ranges::all_of(word, [&](char c) {
                         return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
                       });
  if (word.empty() || (is_word && is_alphanumeric(word.front()))) return;
  throw Usage(std::string(option) + ": " + in_quotes(word) +
              " must be of letters, digits, '-', '_' and '.', and begin with a letter or digit");
}

}  // namespace crunch::package
