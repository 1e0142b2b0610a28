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

int run(const Options& options) {
  const Json image = Json::parse(inspect::json_of(options.image)).at("image");
  if (!image.contains("target")) {
    throw Failure(in_quotes(options.image) + " does not say what it runs on; was it made by " +
                  "crunch build?");
  }
  const build::Recipe recipe =
      build::read_recipe(build::recipe_folder(), image.at("target").get<std::string>());
  if (recipe.way_to_run == "process") {
    if (!options.tap.empty() || options.memory_mib != 0 || options.http_port != 0 ||
        options.https_port != 0 || options.uses_kvm) {
      throw Usage(
          "--net, --memory, --http, --https and --kvm are for machines; this image is a "
          "program: give it boot keys, after --");
    }
    become(options);
  }
  if (recipe.way_to_run == "qemu") {
    return run_in_qemu(options, image.contains("certificates"));
  }
  if (recipe.way_to_run == "xl") run_by_xl(options, recipe);
  throw Failure("crunch does not know how to run an image for " + recipe.target);
}

}  // namespace crunch::run
