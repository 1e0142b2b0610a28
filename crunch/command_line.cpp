// SPDX-License-Identifier: ISC
#include "crunch/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <vector>

#include "base/nearest.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch {
namespace {

int complain(const std::string& sentence, int exit_code) {
  std::fputs(("crunch: " + sentence + "\n").c_str(), stderr);
  return exit_code;
}

// The subcommand that the words chose, or the tool itself.
const CLI::App& chosen(const CLI::App& app) {
  auto parsed = app.get_subcommands();
  return parsed.empty() ? app : chosen(*parsed.front());
}

// "crunch disk set".
std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent != nullptr ? full_name(*parent) + " " + app.get_name() : "crunch";
}

// CLI11 says that a word was not expected; a person wants to know what was meant.
std::string sentence_about(const std::string& word, const CLI::App& app) {
  std::string help = "see " + full_name(app) + " --help";
  if (!word.starts_with('-')) return "unexpected argument " + in_quotes(word) + "; " + help;
  std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
  }
  std::vector<std::string_view> known(names.begin(), names.end());
  std::string_view nearest = base::nearest(name, known);
  // What ends like the word is nearer than what is spelled like it: --port, --http-port.
  for (const std::string& option : names) {
    if (option.ends_with(name.substr(1)) && option.size() > name.size()) {
      nearest = option;
      break;
    }
  }
  std::string sentence = "unknown option " + in_quotes(name);
  if (nearest.empty() && app.get_option_no_throw("--set") != nullptr) {
    sentence += "; a key of the image is given by --set " +
                name.substr(std::min<std::size_t>(2, name.size())) + "=VALUE";
  }
  if (!nearest.empty()) sentence += "; did you mean " + std::string(nearest) + "?";
  return nearest.empty() ? sentence + "; " + help : sentence;
}

// CLI11's "Could not convert: --http = 80x" does not say what is wrong with it.
std::string sentence_of(const CLI::ParseError& error) {
  std::string_view text = error.what();
  constexpr std::string_view prefix = "Could not convert: ";
  const std::size_t equals = text.find(" = ");
  if (!text.starts_with(prefix) || equals == std::string_view::npos) return std::string(text);
  return std::string(text.substr(prefix.size(), equals - prefix.size())) + " takes a number, not " +
         in_quotes(text.substr(equals + 3)) + ", or that is too large";
}

// A word in the place of a subcommand that is none.
void check_subcommand(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == argv[1]) return check_subcommand(*command, argc - 1, argv + 1);
    names.push_back(command->get_name());
  }
  if (names.empty()) return;  // what follows are no subcommands
  std::vector<std::string_view> known(names.begin(), names.end());
  refuse_word("command", argv[1], known);
}

int parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    check_subcommand(app, argc, argv);
    app.parse(argc, argv);
    return -1;
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ExtrasError&) {
    const CLI::App& command = chosen(app);
    std::vector<std::string> extra = app.remaining(true);
    return complain(sentence_about(extra.empty() ? "" : extra.front(), command), 2);
  } catch (const CLI::ParseError& error) {
    const CLI::App& command = chosen(app);
    std::vector<std::string> extra = app.remaining(true);
    for (const std::string& word : extra) {
      if (word.starts_with('-')) return complain(sentence_about(word, command), 2);
    }
    return complain(sentence_of(error) + "; see " + full_name(command) + " --help", 2);
  }
}

}  // namespace

int run_command_line(CLI::App& app, const Action& action, int argc, const char* const* argv) {
  try {
    int exit_code = parse(app, argc, argv);
    if (exit_code >= 0) return exit_code;
    return action();
  } catch (const Usage& usage) {
    return complain(usage.what(), 2);
  } catch (const Interrupted& interrupted) {
    return complain(interrupted.what(), 128 + interrupted.signal_number());
  } catch (const std::bad_alloc&) {
    return complain("out of memory; fewer --threads take less", 1);
  } catch (const std::exception& failure) {
    return complain(failure.what(), 1);
  }
}

}  // namespace crunch
