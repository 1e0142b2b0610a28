// SPDX-License-Identifier: ISC
#include "crunch/run/run.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "crunch/build/recipe.hpp"
#include "crunch/failure.hpp"
#include "crunch/inspect/inspect.hpp"
#include "crunch/run/qemu.hpp"
#include "crunch/run/tender.hpp"
#include "crunch/run/xl.hpp"

namespace crunch::run {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void become(const Options& options) {
  std::string path = options.image;
  if (path.find('/') == std::string::npos) path = "./" + path;
  std::vector<char*> words{path.data()};
  std::vector<std::string> keys = options.boot_keys;
  for (std::string& key : keys) words.push_back(key.data());
  words.push_back(nullptr);
  ::execv(path.c_str(), words.data());
  fail("start", options.image, errno);
}

}  // namespace

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

int run(const Options& options) {
  const Json image = Json::parse(inspect::json_of(options.image)).at("image");
  if (!image.contains("target")) {
    throw Failure(in_quotes(options.image) + " does not say what it runs on; was it made by " +
                  "crunch build?");
  }
  const build::Recipe recipe =
      build::read_recipe(build::recipe_folder(), image.at("target").get<std::string>());
  if (recipe.way_to_run == "process") {
    if (!options.nets.empty() || options.memory_mib != 0 || options.http_port != 0 ||
        options.https_port != 0 || options.uses_kvm || options.traces) {
      throw Usage(
          "--net, --memory, --http, --https, --kvm and --trace are for machines; this image is a "
          "program: give it boot keys, after --");
    }
    become(options);
  }
  if (recipe.way_to_run == "hvt-tender") {
    return run_by_tender(options, image.contains("certificates"));
  }
  if (options.traces) throw Usage("--trace is for guests of hvt-tender");
  if (recipe.way_to_run == "qemu") {
    return run_in_qemu(options, image.contains("certificates"));
  }
  if (recipe.way_to_run == "xl") run_by_xl(options, recipe);
  throw Failure("crunch does not know how to run an image for " + recipe.target);
}

}  // namespace crunch::run
