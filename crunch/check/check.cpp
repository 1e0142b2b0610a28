// SPDX-License-Identifier: ISC
#include "crunch/check/check.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <unordered_map>

#include "crunch/check/links.hpp"
#include "crunch/check/rules.hpp"
#include "crunch/check/site.hpp"
#include "crunch/failure.hpp"

namespace crunch::check {
namespace {

constexpr std::size_t named_max = 5;  // links that a build names

unsigned threads_of(const embed::Options& options) {
  return options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
}

// Where the file system does not tell them apart, one of the two is lost.
void check_names(const Site& site, Report& report) {
  for (std::size_t i = 0; i < site.files().size(); ++i) {
    const std::string& key = site.files()[i].key;
    const std::size_t first = site.find_in_any_case(key);
    if (first == i) continue;
    report.add(
        {Code::case_names, key, 0,
         "differs from " + in_quotes(site.files()[first].key) + " in the case of letters only",
         "rename one of them: macOS and Windows keep only one"});
  }
}

void check_images(const Site& site, std::uint64_t bytes_max, Report& report) {
  for (std::size_t i = 0; i < site.files().size(); ++i) {
    const embed::Source& file = site.files()[i];
    if (file.size_bytes <= bytes_max || !site.type_of(i).starts_with("image/")) continue;
    report.add({Code::large_image, file.key, 0,
                "has " + std::to_string(file.size_bytes) + " bytes, more than " +
                    std::to_string(bytes_max),
                "make it smaller, or offer sizes by srcset"});
  }
}

}  // namespace

Report check(const Options& options) {
  const Site site(options.site);
  Report report;
  check_rules(site, report);
  check_links(site, threads_of(options.site), report);
  check_names(site, report);
  if (options.image_bytes_max) check_images(site, *options.image_bytes_max, report);
  std::erase_if(report.findings, [&options](const Finding& finding) {
    return options.ignored.contains(finding.code);
  });
  std::ranges::stable_sort(report.findings, [](const Finding& a, const Finding& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  return report;
}

void warn_of_links(const embed::Options& options) {
  const Site site(options);
  Report report;
  check_links(site, threads_of(options), report);
  std::size_t count = report.left_out;
  for (const Finding& finding : report.findings) {
    if (finding.code != Code::broken_link && finding.code != Code::case_link) continue;
    if (++count > named_max) continue;
    std::fprintf(stderr, "crunch: warning: %s\n", line_of(finding).c_str());
  }
  if (count <= named_max) return;
  std::fprintf(stderr, "crunch: warning: %zu more links lead nowhere; crunch check %s lists them\n",
               count - named_max, in_quotes(options.root).c_str());
}

}  // namespace crunch::check
