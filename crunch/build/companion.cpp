// SPDX-License-Identifier: ISC
#include "crunch/build/companion.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch::build {
namespace {

namespace fs = std::filesystem;

// Beside the image: what a guest that serves HTTPS to a few hundred connections takes.
constexpr std::uint32_t memory_besides_image_mib = 28;

std::uint32_t memory_for(const std::string& image) {
  constexpr std::uintmax_t mib = 1U << 20U;
  return static_cast<std::uint32_t>(fs::file_size(image) / mib) + 1 + memory_besides_image_mib;
}

// Hosts take letters, digits and these in a guest's name.
std::string name_of(const std::string& image) {
  std::string name = fs::path(image).stem().string();
  std::ranges::replace_if(
      name,
      [](char c) {
        constexpr std::string_view also = "-_.+";
        const bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return !is_plain && also.find(c) == std::string_view::npos;
      },
      '-');
  return name.empty() ? "site" : name;
}

// The words of a command line, which the image cuts at spaces.
std::string command_line(const std::vector<std::string>& keys) {
  std::string line;
  for (const std::string& key : keys) {
    if (key.find_first_of("\"'\n") != std::string::npos) {
      throw Usage("a boot key of a guest cannot have a quotation mark in it");
    }
    line += line.empty() ? "" : " ";
    line += key.find(' ') == std::string::npos ? key : '"' + key + '"';
  }
  return line;
}

std::string in_its_quotes(std::string text) {
  if (text.find_first_of("\"\\\n") != std::string::npos) {
    throw Usage(in_quotes(text) + " cannot be written in a guest's configuration");
  }
  return text;
}

std::string vifs(const std::vector<std::string>& bridges) {
  std::string list;
  for (const std::string& bridge : bridges) {
    list += (list.empty() ? "\"bridge=" : ", \"bridge=") + in_its_quotes(bridge) + '"';
  }
  return list;
}

}  // namespace

std::string companion_text(const Recipe& recipe, const GuestWords& words) {
  std::string text = read_file(recipe.companion, 1U << 20U);
  const std::uint32_t memory = words.memory_mib == 0 ? memory_for(words.image) : words.memory_mib;
  const std::pair<std::string_view, std::string> values[] = {
      {"@NAME@", name_of(words.image)},
      {"@KERNEL@", in_its_quotes(fs::absolute(words.image).string())},
      {"@CMDLINE@", command_line(words.boot_keys)},
      {"@MEMORY@", std::to_string(memory)},
      {"@BRIDGE@", in_its_quotes(words.bridges.front())},
      {"@VIFS@", vifs(words.bridges)},
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto* fits = std::ranges::find_if(values, [&](const auto& value) {
      return text.compare(at, value.first.size(), value.first) == 0;
    });
    if (fits == std::end(values)) {
      out += text[at++];
    } else {
      out += fits->second;
      at += fits->first.size();
    }
  }
  return out;
}

std::string write_companion(const Recipe& recipe, const std::string& image) {
  if (recipe.companion.empty()) return {};
  const std::string path =
      fs::path(image).replace_extension(fs::path(recipe.companion).extension()).string();
  // An image of the same name as its companion would be lost.
  if (path == image || fs::exists(path)) return path == image ? std::string() : path;
  NewFile file(path, 0644);
  file.write(companion_text(recipe, {.image = image, .boot_keys = {}}));
  static_cast<void>(replace_changed({&file}));
  return path;
}

}  // namespace crunch::build
