// SPDX-License-Identifier: ISC
#include "tender/run.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "tender/disk.hpp"
#include "tender/layout.hpp"
#include "tender/sandbox.hpp"
#include "tender/server.hpp"
#include "tender/tap.hpp"
#include "tender/vm.hpp"

namespace tender {

namespace {

using base::Descriptor;

// What the signal handler reaches.
volatile std::sig_atomic_t stop = 0;
int wake = -1;
volatile std::uint8_t* immediate_exit = nullptr;

extern "C" void on_stop_signal(int number) {
  constexpr int interrupted_status = 130;
  if (number == SIGINT && stop != 0) ::_exit(interrupted_status);
  const int kept = errno;
  stop = 1;
  *immediate_exit = 1;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake, &one, sizeof one));
  errno = kept;
}

void listen_to_signals(Vm& vm) {
  wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0) throw std::runtime_error(std::string("cannot wait: ") + std::strerror(errno));
  immediate_exit = &vm.immediate_exit();
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

std::string read_file(const std::string& path) {
  constexpr std::size_t bytes_max = std::size_t{1} << 30U;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string out;
  std::string buffer(1U << 16U, '\0');
  ssize_t got = file.get() < 0 ? -1 : 1;
  while (got > 0 && out.size() <= bytes_max) {
    got = ::read(file.get(), buffer.data(), buffer.size());
    if (got > 0) out.append(buffer, 0, static_cast<std::size_t>(got));
  }
  if (got < 0) {
    throw std::runtime_error("cannot read '" + path + "': " + std::strerror(errno));
  }
  if (out.size() > bytes_max) throw std::runtime_error("'" + path + "' is larger than 1 GiB");
  return out;
}

// The manifest as the guest sees it, and what stands behind it.
class Devices {
 public:
  Devices(const Options& options, std::vector<solo5::ManifestEntry> manifest)
      : manifest_(std::move(manifest)), files_(manifest_.size()) {
    for (const Options::Attachment& one : options.nets) attach_net(one);
    for (const Options::Attachment& one : options.blocks) attach_block(one);
    for (const Options::Mac& mac : options.macs) {
      std::ranges::copy(mac.bytes, manifest_[index_of(mac.name, solo5::DeviceType::net)].net.mac);
    }
    for (std::size_t i = 1; i < manifest_.size(); ++i) {
      if (manifest_[i].attached != 0) continue;
      const bool is_net = manifest_[i].type == solo5::DeviceType::net;
      throw std::runtime_error("the image has the " + std::string(is_net ? "network" : "block") +
                               " device '" + manifest_[i].name + "', which needs --" +
                               (is_net ? "net:" : "block:") + manifest_[i].name + "=" +
                               (is_net ? "TAP" : "FILE"));
    }
  }

  [[nodiscard]] const std::vector<solo5::ManifestEntry>& manifest() const noexcept {
    return manifest_;
  }
  [[nodiscard]] std::vector<int> files() const {
    std::vector<int> out;
    for (const Descriptor& file : files_) out.push_back(file.get());
    return out;
  }
  [[nodiscard]] std::vector<int> files(solo5::DeviceType type) const {
    std::vector<int> out;
    for (std::size_t i = 1; i < files_.size(); ++i) {
      if (manifest_[i].type == type) out.push_back(files_[i].get());
    }
    return out;
  }

 private:
  // An empty name: the only one of its kind.
  [[nodiscard]] std::size_t index_of(const std::string& name, solo5::DeviceType type) const {
    std::size_t found = 0;
    for (std::size_t i = 1; i < manifest_.size(); ++i) {
      if (manifest_[i].type != type || (!name.empty() && name != manifest_[i].name)) continue;
      if (found != 0) throw std::runtime_error("the image has several devices: say which by name");
      found = i;
    }
    const char* const kind = type == solo5::DeviceType::net ? "network" : "block";
    if (found == 0) {
      throw std::runtime_error("the image has no " + std::string(kind) + " device" +
                               (name.empty() ? "" : " '" + name + "'"));
    }
    return found;
  }
  // The entry that is asked for, attached; its file comes later.
  std::size_t attach(const Options::Attachment& one, solo5::DeviceType type) {
    const std::size_t index = index_of(one.name, type);
    if (manifest_[index].attached != 0) {
      throw std::runtime_error(std::string("'") + manifest_[index].name + "' is attached twice");
    }
    manifest_[index].attached = 1;
    return index;
  }
  void attach_net(const Options::Attachment& one) {
    const std::size_t index = attach(one, solo5::DeviceType::net);
    solo5::ManifestEntry& entry = manifest_[index];
    Tap tap = open_tap(one.to);
    files_[index] = std::move(tap.file);
    entry.net = {};
    entry.net.mtu_bytes = tap.mtu_bytes;
    if (::getrandom(entry.net.mac, sizeof entry.net.mac, 0) != sizeof entry.net.mac) {
      throw std::runtime_error("cannot make a MAC address: the kernel has no random bytes");
    }
    entry.net.mac[0] = static_cast<std::uint8_t>((entry.net.mac[0] & 0xfcU) | 0x02U);
  }
  void attach_block(const Options::Attachment& one) {
    const std::size_t index = attach(one, solo5::DeviceType::block);
    Disk disk = open_disk(one.to);
    files_[index] = std::move(disk.file);
    manifest_[index].block = disk.details;
  }

  std::vector<solo5::ManifestEntry> manifest_;
  std::vector<Descriptor> files_;
};

void say(std::string_view text) {
  static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
}

// Where the image's ring is to lie, or 0: it has no network device, or no room above itself and a
// first stack.
std::uint64_t place_of_ring(const Options& options, const Image& image,
                            std::uint64_t memory_bytes) {
  constexpr std::uint64_t stack_bytes = 0x10000;
  const std::uint64_t at = ring_place(memory_bytes);
  const bool has_network = std::ranges::any_of(
      image.manifest,
      [](const solo5::ManifestEntry& entry) { return entry.type == solo5::DeviceType::net; });
  const bool has_room = at >= stack_bytes && image.kernel_end <= at - stack_bytes;
  return options.offers_ring && has_network && has_room ? at : 0;
}

// Behind the sandbox, which lets a process do nothing but serve and end.
[[noreturn]] void serve(Vm& vm, Server& server) {
  for (;;) {
    const Exit exit = vm.run();
    if (exit.kind == Exit::Kind::interrupted) continue;
    std::string why = exit.why;
    if (exit.kind == Exit::Kind::access) {
      const auto status = server.serve(exit.access);
      if (status && !*status) continue;
      if (status) ::_exit(**status);
      why = status.error();
    }
    say("hvt: the guest did what it may not, and was ended: " + why + "\n");
    ::_exit(1);
  }
}

}  // namespace

void run(const Options& options) {
  constexpr std::uint64_t mib = 1U << 20U;
  const std::uint64_t memory_bytes =
      options.memory_mib * mib / solo5::memory_unit_bytes * solo5::memory_unit_bytes;
  if (options.memory_mib > solo5::memory_bytes_max / mib || memory_bytes == 0) {
    throw std::runtime_error("a guest has 2 to 4096 MiB of memory");
  }
  if (options.command_line.size() > solo5::command_line_bytes_max) {
    throw std::runtime_error("the guest's words are longer than 8191 characters");
  }
  const std::string file = read_file(options.image);
  auto image = read_image(base::bytes_of(file), memory_bytes);
  if (!image) {
    throw std::runtime_error("'" + options.image + "' cannot be started: " + image.error());
  }
  const Devices devices(options, image->manifest);
  Vm vm(memory_bytes);
  if (vm.is_emulated()) {
    say("hvt: warning: KVM here emulates each instruction: the guest will be over 1,000 times as "
        "slow, and cannot use SSE, which images of crunch need. Use a host whose processor gives "
        "this machine its own virtualisation, or build the image for unix or virtio\n");
  }
  vm.load(*image, base::bytes_of(file), devices.manifest(), options.command_line,
          place_of_ring(options, *image, memory_bytes));
  listen_to_signals(vm);
  Server server(vm.memory(), devices.manifest(), devices.files(), vm.ring(), wake, stop,
                {.each = options.traces, .counts = options.counts});
  enter_sandbox({.processor = vm.processor_fd(),
                 .wake = wake,
                 .networks = devices.files(solo5::DeviceType::net),
                 .blocks = devices.files(solo5::DeviceType::block)});
  serve(vm, server);
}

}  // namespace tender
