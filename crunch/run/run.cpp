// SPDX-License-Identifier: ISC
#include "crunch/run/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/image.hpp"

namespace crunch::run {

std::uint32_t memory_for(const std::string& image) {
  constexpr std::uint32_t besides_image_mib = 32;
  constexpr std::uintmax_t mib = 1U << 20U;
  return static_cast<std::uint32_t>(std::filesystem::file_size(image) / mib) + 1 +
         besides_image_mib;
}

std::string boot_line_of(const std::vector<std::string>& keys) {
  std::string line;
  for (const std::string& key : keys) {
    if (key.find('"') != std::string::npos) throw Usage("a boot key cannot have a \" in it");
    if (!line.empty()) line += ' ';
    line += key.find(' ') == std::string::npos ? key : '"' + key + '"';
  }
  return line;
}

int become(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  return errno;
}

void check_disks(const Options& options, std::size_t most) {
  const auto& disks = options.disks;
  if (disks.size() > most) {
    throw Usage("this image has at most " + std::to_string(most) +
                (most == 1 ? " disk" : " disks") + "; --disk is given " +
                std::to_string(disks.size()) + " times");
  }
  for (auto at = disks.begin(); at != disks.end(); ++at) {
    if (std::find(disks.begin(), at, *at) != at) {
      throw Usage("--disk " + in_quotes(*at) + " is given twice");
    }
  }
}

std::vector<block::File> hold_disks(const Options& options, std::size_t most) {
  check_disks(options, most);
  std::vector<block::File> held;
  for (const std::string& disk : options.disks) {
    try {
      held.emplace_back(disk, block::File::Access::read_write);
    } catch (const std::runtime_error& error) {
      throw Failure(error.what());
    }
  }
  return held;
}

void run_as_program(const Options& options) {
  if (!options.disks.empty()) {
    throw Usage(
        "--disk is for machines; this image is a program: say --vault=FILE or --archive=FILE after "
        "--");
  }
  if (!options.nets.empty() || options.memory_mib != 0 || options.http_port != 0 ||
      options.https_port != 0 || options.uses_kvm || options.traces) {
    throw Usage(
        "--net, --memory, --http, --https, --kvm and --trace are for machines; this image is a "
        "program: give it boot keys, after --");
  }
  const bool has_folder = options.image.find('/') != std::string::npos;
  std::vector<std::string> words{has_folder ? options.image : "./" + options.image};
  words.insert(words.end(), options.boot_keys.begin(), options.boot_keys.end());
  fail("start", options.image, become(std::move(words)));
}

namespace {

// Whether the image was built to have a vault.
bool has_vault(const inspect::Image& image) {
  const inspect::Key* const vault = image.key("vault");
  return vault != nullptr && vault->stage == "build" && vault->value != "none";
}

// The value of a port's key: the last that the boot keys give, else the image's own. 0: the image
// has no such key.
std::uint16_t port_of(const inspect::Image& image, std::string_view name, const Options& options) {
  const inspect::Key* const key = image.key(name);
  if (key == nullptr) return 0;
  std::string value = key->value;
  const std::string option = "--" + std::string(name);
  for (std::size_t i = 0; i < options.boot_keys.size(); ++i) {
    const std::string& word = options.boot_keys[i];
    if (word.starts_with(option + "=")) value = word.substr(option.size() + 1);
    if (word == option && i + 1 < options.boot_keys.size()) value = options.boot_keys[i + 1];
  }
  std::uint16_t port = 0;
  std::from_chars(value.data(), value.data() + value.size(), port);  // the image refuses others
  return port;
}

// Of the manifest of an image for hvt; others have none.
std::size_t block_devices_of(const inspect::Image& image) {
  if (!image.solo5) return 0;
  return static_cast<std::size_t>(
      std::ranges::count(image.solo5->devices, "block", &inspect::Solo5::Device::type));
}

}  // namespace

int run(const Options& options) {
  const inspect::Image found = inspect::read_image(options.image);
  if (found.target.empty()) {
    throw Failure(in_quotes(options.image) + " does not say what it runs on; was it made by " +
                  "crunch build?");
  }
  const Image image{build::read_recipe(build::recipe_folder(), found.target),
                    !found.certificates.empty() || found.key("acme") != nullptr ||
                        (has_vault(found) && !options.disks.empty()),
                    found.key("dns") != nullptr,
                    port_of(found, "http-port", options),
                    port_of(found, "https-port", options),
                    block_devices_of(found)};
  const auto known = runners();
  const auto runner = std::ranges::find(known, image.recipe.target, &Runner::target);
  if (runner == known.end()) {
    throw Failure("this crunch cannot start images for " + image.recipe.target +
                  "; it was built without that target's host/run.cpp");
  }
  return (*runner)->start(options, image);
}

}  // namespace crunch::run
