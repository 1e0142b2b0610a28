// SPDX-License-Identifier: ISC
// crunch/check/findings.hpp: what `crunch check` finds, and how it is printed.
//
// States:  Code, Finding, Report.   Used by: crunch/check, crunch/build (a few of them).

#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace crunch::check {

enum class Code : std::uint8_t {
  broken_link,
  case_link,
  broken_fragment,
  redirected_link,
  local_link,
  insecure_resource,
  other_host,
  case_names,
  large_image,
  unread_page,
  rule,
  redirect_loop,
  redirect_chain,
  rule_target,
  hidden_file,
  unused_block,
};
struct CodeText {
  Code code;
  std::string_view name;
  std::string_view about;
};
inline constexpr std::array<CodeText, 16> codes{{
    {Code::broken_link, "broken-link", "a link of the site's own that leads nowhere"},
    {Code::case_link, "case-link", "a link that differs from a name in the case of letters only"},
    {Code::broken_fragment, "broken-fragment", "#name without such an id in the page"},
    {Code::redirected_link, "redirected-link", "a link that costs a redirect"},
    {Code::local_link, "local-link", "file: addresses, which are on the author's machine"},
    {Code::insecure_resource, "insecure-resource", "scripts, images and the like over http:"},
    {Code::other_host, "other-host", "canonical, og: and sitemap addresses on no [[host]]"},
    {Code::case_names, "case-names", "names that differ in the case of letters only"},
    {Code::large_image, "large-image", "images above --images BYTES"},
    {Code::unread_page, "unread-page", "pages that are too large to be read whole"},
    {Code::rule, "rule", "lines of _redirects and _headers without effect"},
    {Code::redirect_loop, "redirect-loop", "addresses that are redirected in a circle"},
    {Code::redirect_chain, "redirect-chain", "rules that take more than one redirect"},
    {Code::rule_target, "rule-target", "rules whose target is not there"},
    {Code::hidden_file, "hidden-file", "files that a rule keeps from being served"},
    {Code::unused_block, "unused-block", "blocks of _headers that no address matches"},
}};
[[nodiscard]] constexpr const CodeText& text_of(Code code) {
  return codes[static_cast<std::size_t>(code)];
}

struct Finding {
  Code code = Code::broken_link;
  std::string file;        // its key, or the name of a rules file
  std::uint32_t line = 0;  // 0: the whole file
  std::string sentence;    // what is so
  std::string remedy;      // what to do
};

struct Report {
  // Further ones are counted only.
  static constexpr std::size_t findings_max = 100'000;

  std::vector<Finding> findings;  // by file and line
  std::size_t left_out = 0;
  std::size_t page_count = 0;
  std::uint64_t link_count = 0;

  void add(Finding finding);
};

// "about.html:12: what is so; what to do".
[[nodiscard]] std::string line_of(const Finding& finding);
// One line for each finding with its code, and one for all.
[[nodiscard]] std::string as_text(const Report& report);
// {"format": 1, "pages": ..., "links": ..., "findings": [{"code", "file", "line", "sentence",
// "remedy"}...]}
[[nodiscard]] std::string as_json(const Report& report);

}  // namespace crunch::check
