// SPDX-License-Identifier: ISC
// targets/xen/host/run.cpp: an image as a Xen guest, started by xl.
//
// Way:     the configuration that crunch build writes, with what the command says, is handed to
//          `xl create` as a file without a name; crunch becomes xl. On a terminal xl stays with the
//          guest's console.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crunch/build/companion.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/process.hpp"
#include "crunch/run/runner.hpp"

namespace host::xen_target {
namespace {

using crunch::fail;
using crunch::Failure;
using crunch::Usage;

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

int start(const crunch::run::Options& options, const crunch::run::Image& image) {
  if (options.traces) throw Usage("--trace is not for Xen guests");
  if (options.http_port != 0 || options.https_port != 0 || options.uses_kvm) {
    throw Usage("--http, --https and --kvm are for machines in QEMU; this is a Xen guest");
  }
  if (!options.disks.empty()) {
    throw Usage(
        "--disk is not for Xen guests: the .xl file beside the image has a line `disk` for "
        "them; then start the guest by xl create");
  }
  const std::optional<std::string> program = crunch::find_program("xl");
  if (!program) {
    throw Failure(
        "there is no xl in PATH: Xen guests are started on a Xen host, in its dom0 (Debian: apt "
        "install xen-system-amd64, and boot into it)");
  }
  crunch::build::GuestWords words{
      .image = options.image, .boot_keys = options.boot_keys, .memory_mib = options.memory_mib};
  if (!options.nets.empty()) words.bridges = options.nets;
  const int file = nameless_file(crunch::build::companion_text(image.recipe, words));
  std::vector<std::string> call{*program, "create"};
  if (::isatty(STDIN_FILENO) == 1) call.emplace_back("-c");
  call.push_back("/proc/self/fd/" + std::to_string(file));
  fail("start", *program, crunch::run::become(std::move(call)));
}

}  // namespace

const crunch::run::Runner& runner() {
  static constexpr crunch::run::Runner ours{
      .target = "xen",
      .net_help = "xen: a bridge [xenbr0]",
      .trace_help = "",
      .example =
          "crunch build htdocs -t xen -o site.xen && crunch run site.xen --net xenbr0 --memory 32",
      .start = start};
  return ours;
}

}  // namespace host::xen_target
