// SPDX-License-Identifier: ISC
// tests/crunch/embed/fuzz/site_file_fuzz.cpp: any bytes as crunch.toml.
//
// Held:  it is refused by a Failure, or what it says makes a sound plan, or none with errors.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/failure.hpp"
#include "http/site/plan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const crunch::embed::SiteFile file = crunch::embed::parse_site_file(text, "crunch.toml");
    static_cast<void>(file.type_of("a/b.html"));
    static_cast<void>(file.caching_of("a/b.html"));
    http::site::SiteFiles files;
    files.text = [](const std::string& key) -> std::optional<std::string> {
      if (key.ends_with("_redirects")) return "/a /b\n";
      return std::nullopt;
    };
    files.has = [](const std::string&) { return false; };
    const http::site::Compiled compiled = compile(file.settings, file.hosts, files);
    CHECK(compiled.plan.empty() ? compiled.has_errors()
                                : http::site::Plan::open(compiled.plan).has_value());
  } catch (const crunch::Failure&) {
  }
  return 0;
}
