// SPDX-License-Identifier: ISC
#include "crunch/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"

extern char** environ;

namespace crunch {
namespace {

constexpr std::size_t output_bytes_max = std::size_t{1} << 20U;

bool is_program(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

// A running program; the destructor ends it unless it was waited for.
struct Child {
  pid_t pid = -1;
  ~Child() {
    if (pid < 0) return;
    ::kill(pid, SIGTERM);
    ::waitpid(pid, nullptr, 0);
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) check_stopped();
    pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

Child spawn(const std::vector<std::string>& argv, int output) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  Child child;
  int error = ::posix_spawnp(&child.pid, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    child.pid = -1;
    fail("run", argv[0], error);
  }
  return child;
}

}  // namespace

Outcome run_program(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("make a pipe for", argv[0]);
  Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  Child child = spawn(argv, to.get());
  to = Descriptor();
  Outcome outcome;
  std::array<char, 4096> piece{};
  for (;;) {
    check_stopped();
    pollfd wait{from.get(), POLLIN, 0};
    if (::poll(&wait, 1, 100) <= 0) continue;
    ssize_t count = ::read(from.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    auto kept = std::min(static_cast<std::size_t>(count), output_bytes_max - outcome.output.size());
    outcome.output.append(piece.data(), kept);
  }
  outcome.status = child.wait();
  return outcome;
}

std::optional<std::string> find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    return is_program(std::string(name)) ? std::optional(std::string(name)) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!name.empty()) {
    std::string_view folder = rest.substr(0, rest.find(':'));
    std::string program = (folder.empty() ? "." : std::string(folder)) + "/" + std::string(name);
    if (is_program(program)) return program;
    if (folder.size() == rest.size()) break;
    rest.remove_prefix(folder.size() + 1);
  }
  return std::nullopt;
}

}  // namespace crunch
