// SPDX-License-Identifier: ISC
#include "crunch/completion/command.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/version.hpp"

namespace crunch {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
}

// "--oci -o": the options of a command, as they are typed.
std::string options_of(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words += " --" + name;
    for (const std::string& name : option->get_snames()) words += " -" + name;
  }
  return words.empty() ? words : words.substr(1);
}

std::string names_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* each : commands_of(app)) names += " " + each->get_name();
  return names.substr(1);
}

// In single quotes, for bash, zsh and fish alike: texts here have no backslashes.
std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
  return out + "'";
}

std::string bash(const CLI::App& app) {
  std::string text =
      "# bash completion of crunch; to use it: source <(crunch completion bash)\n"
      "_crunch() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} options=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W " +
      shell_word(names_of(app) + " " + options_of(app)) +
      " -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* each : commands_of(app)) {
    text += "    " + each->get_name() + ") options=" + shell_word(options_of(*each)) + " ;;\n";
  }
  return text +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _crunch crunch\n";
}

std::string zsh(const CLI::App& app) {
  std::string text =
      "#compdef crunch\n"
      "# zsh completion of crunch; to use it: crunch completion zsh > \"${fpath[1]}/_crunch\"\n"
      "_crunch() {\n"
      "  local -a commands options\n"
      "  if (( CURRENT == 2 )); then\n"
      "    commands=(\n";
  for (const CLI::App* each : commands_of(app)) {
    text += "      " + shell_word(each->get_name() + ":" + each->get_description()) + "\n";
  }
  text +=
      "    )\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  case $words[2] in\n";
  for (const CLI::App* each : commands_of(app)) {
    text += "    " + each->get_name() + ") options=(" + options_of(*each) + ") ;;\n";
  }
  return text +
         "  esac\n"
         "  if [[ $PREFIX == -* ]]; then\n"
         "    compadd -- $options\n"
         "  else\n"
         "    _files\n"
         "  fi\n"
         "}\n"
         "compdef _crunch crunch\n";
}

std::string fish(const CLI::App& app) {
  std::string text = "# fish completion of crunch; to use it: crunch completion fish | source\n";
  for (const CLI::App* each : commands_of(app)) {
    const std::string& name = each->get_name();
    text += "complete -c crunch -n __fish_use_subcommand -f -a " + name + " -d " +
            shell_word(each->get_description()) + "\n";
    for (const CLI::Option* option : each->get_options()) {
      if (option->get_lnames().empty() && option->get_snames().empty()) continue;
      text += "complete -c crunch -n '__fish_seen_subcommand_from " + name + "'";
      for (const std::string& word : option->get_lnames()) text += " -l " + word;
      for (const std::string& word : option->get_snames()) text += " -s " + word;
      text += " -d " + shell_word(option->get_description()) + "\n";
    }
  }
  return text;
}

// Text for roff: a '\' or '-' is itself, a line does not begin with a control character.
std::string roff(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += '\\';
    if (c == '-') out += '\\';
    out += c == '\\' ? 'e' : c;
    at_start = c == '\n';
  }
  return out;
}

// A page for man: the text of --help, as it stands.
std::string manual(const CLI::App& command, const std::string& name) {
  std::string text = ".TH " + name + " 1 \"\" \"crunch " CRUNCH_VERSION "\"\n.SH NAME\n";
  text += roff(name) + " \\- " + roff(command.get_description()) + "\n";
  text += ".SH DESCRIPTION\n.nf\n" + roff(command.help()) + ".fi\n";
  return text;
}

}  // namespace

void add_completion_command(CLI::App& app, Action& action) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print the completions of crunch for a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required();
  command->footer("Example:\n  source <(crunch completion bash)");
  command->callback([shell, &app, &action] {
    action = [shell, &app] {
      constexpr std::string_view known[] = {"bash", "zsh", "fish"};
      if (*shell == known[0]) {
        print(bash(app));
      } else if (*shell == known[1]) {
        print(zsh(app));
      } else if (*shell == known[2]) {
        print(fish(app));
      } else {
        refuse_word("shell", *shell, known);
      }
      return 0;
    };
  });
}

void add_manual_command(CLI::App& app, Action& action) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("manual", "Write manual pages: crunch.1, and one for each command");
  command->add_option("DIR", *folder, "Where to")->required();
  command->footer("Example:\n  crunch manual /usr/local/share/man/man1");
  command->callback([folder, &app, &action] {
    action = [folder, &app] {
      NewDirectory directory(*folder);
      std::vector<std::unique_ptr<NewFile>> files;
      std::vector<NewFile*> all;
      const auto add = [&](const CLI::App& page, const std::string& name) {
        files.push_back(std::make_unique<NewFile>(*folder + "/" + name + ".1", 0644));
        files.back()->write(manual(page, name));
        all.push_back(files.back().get());
      };
      add(app, "crunch");
      for (const CLI::App* each : commands_of(app)) add(*each, "crunch-" + each->get_name());
      static_cast<void>(replace_changed(all));
      directory.keep();
      return 0;
    };
  });
}

}  // namespace crunch
