// SPDX-License-Identifier: ISC
#include "crunch/run/xl.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "crunch/build/companion.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/process.hpp"

namespace crunch::run {
namespace {

// A file that only this process and what it becomes have.
int nameless_file(const std::string& text) {
  const int fd = ::memfd_create("guest.xl", 0);
  if (fd < 0) fail("make a configuration for", "xl", errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put = ::write(fd, text.data() + done, text.size() - done);
    if (put < 0) fail("write a configuration for", "xl", errno);
    done += static_cast<std::size_t>(put);
  }
  return fd;
}

}  // namespace

void run_by_xl(const Options& options, const build::Recipe& recipe) {
  if (options.http_port != 0 || options.https_port != 0 || options.uses_kvm) {
    throw Usage("--http, --https and --kvm are for machines in QEMU; this is a Xen guest");
  }
  const std::optional<std::string> program = find_program("xl");
  if (!program) {
    throw Failure(
        "there is no xl in PATH: Xen guests are started on a Xen host, in its dom0 (Debian: apt "
        "install xen-system-amd64, and boot into it)");
  }
  build::GuestWords words{
      .image = options.image, .boot_keys = options.boot_keys, .memory_mib = options.memory_mib};
  if (!options.nets.empty()) words.bridges = options.nets;
  const int file = nameless_file(build::companion_text(recipe, words));
  std::vector<std::string> call{"xl", "create"};
  if (::isatty(STDIN_FILENO) == 1) call.emplace_back("-c");
  call.push_back("/proc/self/fd/" + std::to_string(file));
  std::vector<char*> argv;
  for (std::string& word : call) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program->c_str(), argv.data());
  fail("start", *program, errno);
}

}  // namespace crunch::run
