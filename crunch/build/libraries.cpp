// SPDX-License-Identifier: ISC
#include "crunch/build/libraries.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/elf.hpp"
#include "crunch/process.hpp"
#include "crunch/version.hpp"

namespace crunch::build {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t list_bytes_max = 1U << 20U;

// The compiler's macros that say which libraries it brings.
std::map<std::string, std::string> macros_of(const std::vector<std::string>& words) {
  std::vector<std::string> call = words;
  // This header of the standard library includes the C library's version.
  call.insert(call.end(), {"-dM", "-E", "-x", "c++", "-include", "cstddef", "/dev/null"});
  const Outcome outcome = run_program(call);
  std::map<std::string, std::string> macros;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream parts(line);
    std::string define;
    std::string name;
    std::string value;
    if (parts >> define >> name >> value) macros[name] = value;
  }
  return macros;
}

Json entry(const std::string& name, const std::string& version, const std::string& licence,
           const std::string& source, const std::vector<std::string>& archives) {
  return {{"name", name},     {"version", version}, {"licence", licence},
          {"source", source}, {"purl", ""},         {"archives", archives}};
}

// The package URL of what the Debian package `name` is built from; empty: there is none here.
std::string purl_of(const std::string& name) {
  if (!find_program("dpkg-query")) return "";
  const Outcome outcome =
      run_program({"dpkg-query", "-W", "-f", "${source:Package}@${source:Version}", name});
  if (outcome.status != 0) return "";
  std::string purl = "pkg:deb/debian/";
  for (const char c : outcome.output) {
    purl += c == '+' ? "%2B" : c == ':' ? "%3A" : std::string(1, c);
  }
  return purl + "?arch=source";
}

// The C and C++ libraries that the compiler links by itself.
std::vector<Json> compilers_own(const std::vector<std::string>& words) {
  auto macros = macros_of(words);
  const std::string release = macros["_GLIBCXX_RELEASE"];
  // clang says that it is gcc 4.2; the header of libstdc++ has the major version.
  const std::string runtime = macros.contains("__clang__")
                                  ? release
                                  : macros["__GNUC__"] + "." + macros["__GNUC_MINOR__"] + "." +
                                        macros["__GNUC_PATCHLEVEL__"];
  constexpr const char* runtime_licence = "GPL-3.0-or-later WITH GCC-exception-3.1";
  constexpr const char* runtime_source = "https://gcc.gnu.org/git/gcc.git";
  std::vector<Json> out;
  if (!release.empty()) {
    out.push_back(entry("libstdc++", runtime, runtime_licence, runtime_source, {"libstdc++.a"}));
  }
  out.push_back(
      entry("libgcc", runtime, runtime_licence, runtime_source, {"libgcc.a", "libgcc_eh.a"}));
  if (macros.contains("__GLIBC__")) {
    out.push_back(entry("glibc", macros["__GLIBC__"] + "." + macros["__GLIBC_MINOR__"],
                        "LGPL-2.1-or-later", "https://sourceware.org/git/glibc.git",
                        {"libc.a", "libm.a", "libm-", "libmvec.a", "libpthread.a", "libdl.a",
                         "librt.a", "libresolv.a"}));
  }
  // Debian's compilers, and what they link, are of its packages.
  if (find_program(words.front()).value_or("").starts_with("/usr/bin/")) {
    for (Json& one : out) {
      const bool is_c = one["name"] == "glibc";
      one["purl"] = purl_of(is_c ? "libc6-dev" : "libstdc++-" + release + "-dev");
    }
  }
  return out;
}

std::string file_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// `archive` is a whole name, or the beginning of one.
bool is_from(const std::string& member, const std::string& archive) {
  if (!member.starts_with(archive)) return false;
  return !archive.ends_with(".a") || member.compare(archive.size(), 1, "(") == 0;
}

// A number as the map has it, "0x1a".
std::uint64_t number_of(std::string_view word) {
  std::uint64_t number = 0;
  if (!word.starts_with("0x")) return 0;
  std::from_chars(word.data() + 2, word.data() + word.size(), number, 16);
  return number;
}

}  // namespace

std::vector<std::string> linked_members(std::string_view map) {
  constexpr std::string_view heading = "\nLinker script and memory map\n";
  const std::size_t begin = map.find(heading);
  if (begin == std::string_view::npos) return {};
  std::set<std::string> members;
  for (std::string_view rest = map.substr(begin + heading.size()); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    // " .text.f  0x0000000000401000  0x1a /usr/lib/libx.a(member.o)"; after a long name the rest is
    // a line of its own.
    const std::size_t numbers = line.find(" 0x");
    if (!line.ends_with(".o)") || !line.starts_with(' ') || numbers == std::string_view::npos) {
      continue;
    }
    std::istringstream words{std::string(line.substr(numbers))};
    std::string address;
    std::string size_bytes;
    std::string path;
    words >> address >> size_bytes >> std::ws;
    std::getline(words, path);
    // What is not in memory, as debug information, has the address 0.
    if (number_of(address) == 0 || number_of(size_bytes) == 0) continue;
    members.insert(file_name(path));
  }
  return {members.begin(), members.end()};
}

Libraries::Libraries(const std::string& folder, const Recipe& recipe,
                     const std::vector<std::string>& words) {
  const std::string path = folder + "/libraries.json";
  std::set<std::string> known;
  try {
    std::vector<Json> all = Json::parse(read_file(path, list_bytes_max));
    all.insert(all.begin(), entry("crunch", CRUNCH_VERSION, "ISC", "NOASSERTION", {"libcrunch_"}));
    const std::vector<Json> more = compilers_own(words);
    all.insert(all.end(), more.begin(), more.end());
    for (const Json& one : all) {
      for (const Json& archive : one.at("archives")) known.insert(archive.get<std::string>());
      add(one.dump());
    }
  } catch (const Json::exception& error) {
    throw Failure(in_quotes(path) + " is damaged: " + error.what() + "; install crunch again");
  }
  // A target from outside this tree may link what we know nothing of but the name.
  for (const std::string& library : recipe.libraries) {
    const std::string archive = file_name(library);
    if (known.contains(archive) || archive.starts_with("libcrunch_")) continue;
    const std::string stem = std::filesystem::path(archive).stem().string();
    add(entry(stem, "", "NOASSERTION", "NOASSERTION", {archive}).dump());
  }
}

void Libraries::add(const std::string& json) {
  Json one = Json::parse(json);
  Library library{"", one.at("archives").get<std::vector<std::string>>()};
  one.erase("archives");
  library.json = one.dump();
  libraries_.push_back(std::move(library));
}

std::string Libraries::text_of(const std::vector<bool>& chosen) const {
  std::string text = "[";
  for (std::size_t i = 0; i < libraries_.size(); ++i) {
    if (!chosen[i]) continue;
    text += (text.size() == 1 ? "\n" : ",\n") + libraries_[i].json;
  }
  return text + "\n]\n";
}

std::string Libraries::all() const { return text_of(std::vector<bool>(libraries_.size(), true)); }

std::string Libraries::linked(std::string_view map) const {
  const std::vector<std::string> members = linked_members(map);
  if (members.empty()) return all();
  std::vector<bool> chosen;
  for (const Library& library : libraries_) {
    chosen.push_back(std::ranges::any_of(library.archives, [&](const std::string& archive) {
      return std::ranges::any_of(
          members, [&](const std::string& member) { return is_from(member, archive); });
    }));
  }
  std::string text = text_of(chosen);
  text.resize(all().size(), ' ');
  return text;
}

void Libraries::record(const std::string& path, std::string_view map) const {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) fail("open", path);
  const inspect::ReadAt read = [&](std::uint64_t offset, base::MutableBytes out) {
    return read_at(file.get(), offset, out, path);
  };
  const auto found = inspect::find_section(read, static_cast<std::uint64_t>(status.st_size),
                                           libraries_section, path);
  const std::string text = linked(map);
  if (!found || found->size_bytes != text.size()) {
    throw Failure("the linker left out the image's list of libraries");
  }
  const ssize_t count =
      ::pwrite(file.get(), text.data(), text.size(), static_cast<off_t>(found->offset));
  if (count < 0) fail("write", path);
  if (static_cast<std::size_t>(count) != text.size()) fail("write", path, ENOSPC);
}

}  // namespace crunch::build
