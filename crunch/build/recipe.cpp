// SPDX-License-Identifier: ISC
#include "crunch/build/recipe.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch::build {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view suffix = ".target";

}  // namespace

std::string recipe_folder() {
  std::error_code error;
  fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) fail("find the program itself at", "/proc/self/exe", error.value());
  fs::path folder = self.parent_path().parent_path() / "lib" / "crunch";
  if (!fs::is_directory(folder, error)) {
    throw Failure("crunch is not installed completely: there is no " + in_quotes(folder.string()) +
                  "; install it by cmake --install, and move its folders together");
  }
  return folder.string();
}

std::vector<std::string> targets(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) continue;
    names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::ranges::sort(names);
  return names;
}

std::string target_list() {
  std::string list;
  try {
    for (const std::string& name : targets(recipe_folder())) {
      list += (list.empty() ? "" : ", ") + name;
    }
  } catch (const std::exception&) {
    return "unix";  // --help does not complain about an incomplete installation
  }
  return list;
}

Recipe read_recipe(const std::string& folder, const std::string& target) {
  std::vector<std::string> names = targets(folder);
  if (std::ranges::find(names, target) == names.end()) {
    refuse_word("target", target, std::vector<std::string_view>(names.begin(), names.end()));
  }
  std::string path = folder + "/" + target + std::string(suffix);
  std::string text = read_file(path, 1U << 20U);
  Recipe recipe;
  recipe.target = target;
  auto file_at = [&](std::string_view value) {
    std::string file = (fs::path(folder) / value).lexically_normal().string();
    if (!fs::exists(file)) {
      throw Failure("crunch is not installed completely: " + in_quotes(path) + " names " +
                    in_quotes(file) + ", which is not there; build and install it again");
    }
    return file;
  };
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line[0] == '#') continue;
    std::string_view word = line.substr(0, line.find(' '));
    std::string_view value = line.substr(std::min(line.size(), word.size() + 1));
    if (word == "include") {
      recipe.includes.push_back(file_at(value));
    } else if (word == "compile") {
      recipe.compile_flags.emplace_back(value);
    } else if (word == "main") {
      recipe.main = file_at(value);
    } else if (word == "config") {
      recipe.config = value;
    } else if (word == "object") {
      recipe.object = file_at(value);
    } else if (word == "library") {
      recipe.libraries.push_back(file_at(value));
    } else if (word == "companion") {
      recipe.companion = file_at(value);
    } else if (word == "start") {
      recipe.start = value;
    } else if (word == "content") {
      recipe.content_bytes_max = std::strtoull(std::string(value).c_str(), nullptr, 10);
    } else if (word == "symbols") {
      recipe.symbols = value;
    } else if (word == "link") {
      recipe.link_flags.emplace_back(value);
    } else {
      throw Failure(in_quotes(path) + " has an unknown word " + in_quotes(word) +
                    "; is it of another version of crunch?");
    }
  }
  return recipe;
}

}  // namespace crunch::build
