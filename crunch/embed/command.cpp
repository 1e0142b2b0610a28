// SPDX-License-Identifier: ISC
#include "crunch/embed/command.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>

#include "crunch/failure.hpp"

namespace crunch {
namespace embed {
namespace {

Effort effort_of(std::string_view word) {
  constexpr std::array<std::string_view, 3> known{"fast", "default", "best"};
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (word == known[i]) return static_cast<Effort>(i);
  }
  refuse_word("effort", word, known);
}

std::uint8_t encodings_of(std::string_view words) {
  constexpr std::array<std::string_view, 4> known{"gzip", "br", "zstd", "none"};
  unsigned encodings = 1;
  if (words == "none") return 1;
  while (true) {
    std::string_view word = words.substr(0, words.find(','));
    bool is_known = false;
    for (kv::Encoding encoding : {kv::Encoding::gzip, kv::Encoding::br, kv::Encoding::zstd}) {
      if (word != kv::name_of(encoding)) continue;
      encodings |= 1U << kv::index_of(encoding);
      is_known = true;
    }
    if (!is_known) refuse_word("encoding", word, known);
    if (word.size() == words.size()) return static_cast<std::uint8_t>(encodings);
    words.remove_prefix(word.size() + 1);
  }
}

}  // namespace

void add_options(CLI::App& command, OptionWords& words) {
  Options& options = words.options;
  command.add_option("DIR", options.root, "The directory that holds the site")->required();
  command
      .add_option("--effort", words.effort, "How hard to compress: fast, default or best [default]")
      ->type_name("LEVEL");
  command
      .add_option("--encodings", words.encodings,
                  "Which compressed forms to make, e.g. br,gzip; or none [zstd,br,gzip]")
      ->type_name("LIST");
  command
      .add_option(
          "--exclude", options.excludes,
          "Leave out what matches; may be given again.\n'*.psd' is a name anywhere, 'a/*.md' "
          "a path,\n'drafts/' a directory; ** crosses directories")
      ->type_name("GLOB")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command.add_flag("--dotfiles", options.dotfiles,
                   "Keep names that begin with '.' (without this: only .well-known)");
  command.add_flag("--follow-links", options.follow_links, "Follow links that leave DIR, too");
  command.add_flag("--backups", options.backups,
                   "Keep what editors and systems leave behind: page.html~, page.html.bak,\n"
                   "#page.html#, Thumbs.db ...");
  command.add_flag("--strict", options.strict,
                   "Treat warnings about _redirects, _headers and crunch.toml as errors");
  command.add_option("--threads", options.threads, "How many threads compress [one for each core]")
      ->check(CLI::Range(1U, 1024U))
      ->type_name("N");
  command
      .add_option("--cache", words.cache, "Where to keep compressed forms [" + words.cache + "]")
      ->type_name("DIR");
  command.add_flag("--no-cache", words.no_cache, "Neither keep nor use compressed forms");
  command
      .add_option("--depfile", options.depfile,
                  "Write which files and directories were read, for make and ninja")
      ->type_name("FILE");
  command
      .add_option("--depfile-target", options.depfile_target,
                  "The target in the depfile [the file that is written]")
      ->type_name("FILE");
}

Options options_of(const OptionWords& words) {
  Options options = words.options;
  options.effort = effort_of(words.effort);
  options.encodings = encodings_of(words.encodings);
  options.cache = words.no_cache ? "" : words.cache;
  return options;
}

}  // namespace embed

void add_embed_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<embed::OptionWords>();
  CLI::App* command = app.add_subcommand("embed", "Turn a directory into C++ that holds it");
  embed::add_options(*command, *words);
  embed::Options& options = words->options;
  command->add_option("-o,--output", options.out, "The directory to write to")
      ->type_name("OUT")
      ->required();
  command->add_option("--name", options.name, "What to call it: defines crunched_NAME [site]")
      ->type_name("NAME");
  command->add_flag("--portable", options.portable,
                    "Write string literals, for compilers that do not know .incbin");
  command->footer(
      "Example:\n"
      "  crunch embed htdocs -o generated --name docs --exclude '*.psd'\n\n"
      "SOURCE_DATE_EPOCH, if set, is the time of every file; otherwise each has its own.");
  command->callback([words, &action] {
    action = [words] {
      embed::Summary summary = embed::embed(embed::options_of(*words));
      std::printf("%s\n", embed::summary_text(summary).c_str());
      return 0;
    };
  });
}

}  // namespace crunch
