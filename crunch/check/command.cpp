// SPDX-License-Identifier: ISC
#include "crunch/check/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "crunch/check/check.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch {
namespace {

check::Code code_of(const std::string& word) {
  std::array<std::string_view, check::codes.size()> names;
  std::ranges::transform(check::codes, names.begin(), &check::CodeText::name);
  const auto at = std::ranges::find(names, word);
  if (at == names.end()) refuse_word("code", word, names);
  return check::codes[static_cast<std::size_t>(at - names.begin())].code;
}

std::string footer() {
  std::string text =
      "Example:\n"
      "  crunch check htdocs --ignore redirected-link\n\n"
      "Exit code: 0, no findings; 1, findings; 2, the command line was wrong.\n"
      "Codes:";
  for (const check::CodeText& code : check::codes) {
    text += "\n  " + std::string(code.name) + std::string(19 - code.name.size(), ' ') +
            std::string(code.about);
  }
  return text;
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  struct Words {
    check::Options options;
    std::string format = "text";
    std::vector<std::string> ignored;
    std::uint64_t image_bytes_max = 0;
  };
  auto words = std::make_shared<Words>();
  embed::Options& site = words->options.site;
  CLI::App* command =
      app.add_subcommand("check", "Say which links, fragments and rules of a site are wrong");
  command->add_option("DIR", site.root, "The directory that holds the site")->required();
  command->add_option("--format", words->format, "text or json [text]");
  auto add_list = [command](const char* name, std::vector<std::string>& list, const char* about,
                            const char* type) {
    command->add_option(name, list, about)
        ->type_name(type)
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
  };
  add_list("--ignore", words->ignored, "Leave out findings of this code; may be given again",
           "CODE");
  command->add_option("--images", words->image_bytes_max, "Find images with more bytes")
      ->type_name("BYTES");
  add_list("--exclude", site.excludes, "Leave out files, as crunch build does", "GLOB");
  command->add_flag("--dotfiles", site.dotfiles, "Include names that begin with '.'");
  command->add_flag("--follow-links", site.follow_links, "Follow links that leave DIR, too");
  command->add_flag("--backups", site.backups, "Include what editors leave behind");
  command->add_option("--threads", site.threads, "How many threads read [one for each core]")
      ->check(CLI::Range(1U, 1024U))
      ->type_name("N");
  command->footer(footer());
  command->callback([words, command, &action] {
    const bool has_images = command->count("--images") != 0;
    action = [words, has_images] {
      constexpr std::array<std::string_view, 2> formats{"text", "json"};
      if (words->format != formats[0] && words->format != formats[1]) {
        refuse_word("format", words->format, formats);
      }
      for (const std::string& word : words->ignored) {
        words->options.ignored.insert(code_of(word));
      }
      if (has_images) words->options.image_bytes_max = words->image_bytes_max;
      const check::Report report = check::check(words->options);
      print(words->format == "json" ? check::as_json(report) : check::as_text(report));
      return report.findings.empty() && report.left_out == 0 ? 0 : 1;
    };
  });
}

}  // namespace crunch
