// SPDX-License-Identifier: ISC
#include "crunch/build/configured.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include "crunch/build/compiler.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/graph.hpp"
#include "crunch/process.hpp"
#include "kv/digest.hpp"

namespace crunch::build {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t entries_max = 8;
constexpr std::uint64_t header_bytes_max = 1U << 26U;

std::string digest(std::string_view text) {
  return kv::hex_of(crypto::sha256_of(base::bytes_of(text)));
}

Configured taken(std::string object) {
  Configured out;
  out.graph = inspect::graph_in(object);
  out.object = std::move(object);
  out.keys = std::make_unique<KeyTable>(out.graph);
  return out;
}

void check(const Configured& found, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) found.keys->check(setting);
}

// The compiled forms of one header for one target.
class Shelf {
 public:
  // `folder` empty: none.
  explicit Shelf(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::optional<Configured> find(const std::vector<Setting>& settings) const {
    for (const fs::path& from : entries()) {
      std::error_code error;
      const fs::path object = fs::path(from).replace_extension(".o");
      if (!fs::exists(object, error) || !is_current(from.string())) continue;
      Configured found = taken(object.string());
      if (!found.keys->was_built_with(settings)) continue;
      fs::last_write_time(from, fs::file_time_type::clock::now(), error);
      return found;
    }
    return std::nullopt;
  }

  // A cache that cannot be written costs time, never the build.
  void keep(const std::string& object, const std::vector<std::string>& headers) const try {
    if (folder_.empty()) return;
    make_directories(folder_);
    std::string from;
    for (const std::string& header : headers) {
      from += digest(read_file(header, header_bytes_max)) + " " + header + "\n";
    }
    const std::string bytes = read_file(object);
    const std::string name = folder_ + "/" + digest(from + bytes).substr(0, 16);
    NewFile kept(name + ".o", 0600);
    kept.write(bytes);
    NewFile list(name + ".from", 0600);
    list.write(from);
    static_cast<void>(replace_changed({&kept, &list}));
    std::vector<fs::path> all = entries();
    for (std::size_t i = entries_max; i < all.size(); ++i) {
      std::error_code ignored;
      fs::remove(all[i], ignored);
      fs::remove(all[i].replace_extension(".o"), ignored);
    }
  } catch (const Failure&) {
  }

 private:
  // The lists of headers, the last used first.
  [[nodiscard]] std::vector<fs::path> entries() const {
    std::vector<std::pair<fs::file_time_type, fs::path>> found;
    std::error_code error;
    if (folder_.empty()) return {};
    for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
      std::error_code gone;
      if (at->path().extension() != ".from") continue;
      found.emplace_back(at->last_write_time(gone), at->path());
    }
    std::ranges::sort(found, std::ranges::greater{});
    std::vector<fs::path> paths;
    for (auto& [time, path] : found) paths.push_back(std::move(path));
    return paths;
  }

  static bool is_current(const std::string& from) try {
    std::istringstream lines(read_file(from, header_bytes_max));
    std::string line;
    while (std::getline(lines, line)) {
      const std::size_t space = line.find(' ');
      if (space == std::string::npos) return false;
      const std::string header = read_file(line.substr(space + 1), header_bytes_max);
      if (digest(header) != line.substr(0, space)) return false;
    }
    return true;
  } catch (const Failure&) {
    return false;  // a header that is gone
  }

  std::string folder_;
};

// What a compiler's -MMD wrote, for make: "object: header header \" with "\ " in names.
std::vector<std::string> headers_of(const std::string& depfile, const std::string& but) {
  const std::string text = read_file(depfile, header_bytes_max);
  std::vector<std::string> headers;
  std::string word;
  auto end_word = [&] {
    if (!word.empty() && !word.ends_with(':') && word != but) headers.push_back(word);
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\n';
    if (text[i] == '\\' && next != '\n') {
      word += next;
      ++i;
    } else if (text[i] == '$' && next == '$') {
      word += '$';
      ++i;
    } else if (text[i] == ' ' || text[i] == '\n' || text[i] == '\\') {
      end_word();
    } else {
      word += text[i];
    }
  }
  end_word();
  return headers;
}

// The name in "undefined reference to `crunched_NAME'"; empty: the linker misses something else.
std::string missing_site(std::string_view output) {
  constexpr std::string_view prefix = "undefined reference to `crunched_";
  const std::size_t at = output.find(prefix);
  if (at == std::string_view::npos) return {};
  const std::string_view name = output.substr(at + prefix.size());
  const std::size_t end = name.find('\'');
  return std::string(name.substr(0, end == std::string_view::npos ? 0 : end));
}

}  // namespace

std::vector<std::string> compiler_call(const std::vector<std::string>& compiler,
                                       const Recipe& recipe) {
  std::vector<std::string> call = compiler;
  call.insert(call.end(), recipe.compile_flags.begin(), recipe.compile_flags.end());
  for (const std::string& include : recipe.includes) {
    call.push_back("-I" + include);
    // No path of this machine is in the image.
    call.push_back("-ffile-prefix-map=" + include + "/=");
  }
  return call;
}

void run_compiler(const std::vector<std::string>& call, const std::string& what) {
  check_stopped();
  Outcome outcome = run_program(call);
  check_stopped();
  if (outcome.status == 0) return;
  // What a configuration with two sites comes to, said plainly.
  const std::string missing = missing_site(outcome.output);
  if (!missing.empty()) {
    throw Failure("the configuration uses " + in_quotes("crunched_" + missing) +
                  ", and crunch build embeds one directory, as \"crunched_site\"; read the other "
                  "site from a directory (--set ...-store=directory), or serve a folder of DIR by "
                  "[[host]] in crunch.toml");
  }
  std::string text = "cannot " + what + ": " + call[0] + " ended with " +
                     std::to_string(outcome.status) + " and said:\n" + outcome.output;
  while (text.ends_with('\n')) text.pop_back();
  throw Failure(text);
}

Configured configured(const Request& request) {
  const Recipe& recipe = request.recipe;
  const bool is_default = request.config.empty();
  if (is_default && !recipe.object.empty()) {
    Configured found = taken(recipe.object);
    if (found.keys->was_built_with(request.settings)) {
      check(found, request.settings);
      return found;
    }
    for (const Setting& setting : request.settings) found.keys->check_known(setting);
  }
  const Compiler compiler = Compiler::find();
  std::vector<std::string> call = compiler_call(compiler.words(), recipe);
  std::string config = recipe.config;
  std::string what = "compile the default configuration";
  if (!is_default) {
    const fs::path absolute = fs::absolute(request.config).lexically_normal();
    // Read here, so that a missing file is not the compiler's to explain.
    static_cast<void>(read_file(request.config, header_bytes_max));
    config = absolute.string();
    what = "compile the configuration " + in_quotes(request.config);
    call.push_back("-ffile-prefix-map=" + absolute.parent_path().string() + "/=");
  }
  call.insert(call.end(), {"-DCRUNCH_CONFIG=\"" + config + "\"", "-c", recipe.main});
  std::string identity = compiler.identity();
  for (const std::string& word : call) identity += "\n" + word;
  const Shelf shelf(request.cache.empty() ? "" : request.cache + "/objects/" + digest(identity));
  if (std::optional<Configured> found = shelf.find(request.settings)) {
    check(*found, request.settings);
    return std::move(*found);
  }
  const std::string header = request.work + "/settings.hpp";
  const std::string object = request.work + "/main.o";
  write_file(header, settings_header(request.settings));
  // What follows a first mistake is about main.cpp, which is no mistake of the user's.
  call.insert(call.end(), {compiler.first_error_only(), "-DCRUNCH_SETTINGS=\"" + header + "\"",
                           "-MMD", "-MF", request.work + "/main.d", "-o", object});
  run_compiler(call, what);
  Configured made = taken(object);
  made.is_compiled = true;
  check(made, request.settings);
  shelf.keep(object, headers_of(request.work + "/main.d", header));
  return made;
}

}  // namespace crunch::build
