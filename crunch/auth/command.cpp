// SPDX-License-Identifier: ISC
#include "crunch/auth/command.hpp"

#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "http/site/auth.hpp"
#include "kv/digest.hpp"

namespace crunch {
namespace {

// What is typed is not shown while it lives.
class Unshown {
 public:
  Unshown() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_hidden_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
  }
  ~Unshown() {
    if (is_hidden_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Unshown(const Unshown&) = delete;
  Unshown& operator=(const Unshown&) = delete;

 private:
  termios before_{};
  bool is_hidden_ = false;
};

std::string read_line() {
  std::string line;
  if (!std::getline(std::cin, line)) throw Failure("no password was given");
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// From a terminal it is asked for twice.
std::string ask_password(const std::string& name) {
  if (::isatty(STDIN_FILENO) == 0) return read_line();
  const Unshown unshown;
  std::fprintf(stderr, "Password of %s: ", name.c_str());
  std::string first = read_line();
  std::fputs("\nThe same again: ", stderr);
  const std::string second = read_line();
  std::fputc('\n', stderr);
  if (first != second) throw Failure("the two passwords differ; nothing was printed");
  return first;
}

std::string user_line(const std::string& name) {
  if (name.empty() || name.find_first_of(":\"\\") != std::string::npos || name.size() > 100) {
    throw Usage("a user's name has 1 to 100 characters, none of them ':', '\"' or '\\'");
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      throw Usage("a user's name has no control characters");
    }
  }
  const std::string password = ask_password(name);
  if (password.empty()) throw Failure("the password is empty; type one");
  if (password.size() >= http::site::credential_bytes_max) {
    throw Failure("the password has more than 255 bytes; take a shorter one");
  }
  std::array<std::byte, 12> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    fail("get", "random bytes");
  }
  const std::string salt = kv::hex_of(random);
  return name + ':' + salt + ':' + kv::hex_of(http::site::digest_of_password(salt, password));
}

}  // namespace

void add_auth_command(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("auth", "Ask for a password and print a user's line for [auth]");
  command->add_option("NAME", *name, "The user's name")->required();
  command->footer(
      "Example:\n"
      "  crunch auth crew        # asks for the password\n\n"
      "The line goes into crunch.toml: [auth] users = [\"crew:...\"]. It has no password, only\n"
      "what a password is checked against; without a terminal, the password is a line of input.");
  command->callback([name, &action] {
    action = [name] {
      print(user_line(*name) + '\n');
      return 0;
    };
  });
}

}  // namespace crunch
