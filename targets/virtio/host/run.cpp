// SPDX-License-Identifier: ISC
// targets/virtio/host/run.cpp: an image as a machine under QEMU.
//
// States:  starting -> runs -> asked to stop (a signal: the machine's power button is pressed by
//          QMP) -> ended. A second signal, or stop_patience_s after the first, ends QEMU at once.
// Owns:    the QEMU process: it ends with crunch, whatever ends that.
// Network: QEMU's user network: two ports of this machine's loopback are forwarded to it, and it
//          reaches nothing else, unless it is made to connect to others; or a tap device.

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/process.hpp"
#include "crunch/run/runner.hpp"

namespace host::virtio_target {
namespace {

using crunch::Descriptor;
using crunch::fail;
using crunch::Failure;
using crunch::in_quotes;
using crunch::run::Image;
using crunch::run::Options;

constexpr int stop_patience_s = 15;
constexpr const char* qemu_name = "qemu-system-x86_64";

volatile std::sig_atomic_t signals = 0;

void count_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { signals = signals + 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

// A port of the loopback: `wanted` if it is free, else one that the kernel chooses. It is kept from
// others who look for one: bound, but nobody listens, so that QEMU, which sets SO_REUSEADDR too,
// can.
class Port {
 public:
  Port(std::uint16_t wanted, bool must_be) : Port(wanted) {
    if (error_ != 0 && must_be) fail("have port", std::to_string(wanted), error_);
    if (error_ != 0) *this = Port(0, true);
  }
  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

 private:
  explicit Port(std::uint16_t wanted) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t bytes = sizeof address;
    const int yes = 1;
    if (::bind(socket_.get(), generic, bytes) != 0 ||
        ::getsockname(socket_.get(), generic, &bytes) != 0 ||
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
      error_ = errno;
    }
    number_ = ntohs(address.sin_port);
  }

  Descriptor socket_;
  std::uint16_t number_ = 0;
  int error_ = 0;
};

bool serves_https(const Image& image) { return image.has_certificates && image.https_port != 0; }

// A file's name in QEMU's words, where a comma ends a word unless it stands twice.
std::string with_commas_doubled(const std::string& path) {
  std::string out;
  for (const char c : path) out.append(c == ',' ? 2 : 1, c);
  return out;
}

// QEMU's words for it. Ports that are 0 have been chosen.
std::vector<std::string> qemu_words(const Options& options, const Image& image,
                                    const std::string& program, int monitor_fd) {
  std::string append;
  std::vector<std::string> networks;  // in the order of the machine's devices
  for (const std::string& tap : options.nets) {
    networks.push_back("tap,script=no,downscript=no,ifname=" + tap);
  }
  if (networks.empty()) {
    networks.emplace_back(image.connects_to_others ? "user" : "user,restrict=on");
    const auto forward = [&](std::uint16_t from, std::uint16_t to) {
      networks.front() +=
          ",hostfwd=tcp:127.0.0.1:" + std::to_string(from) + "-:" + std::to_string(to);
    };
    if (image.http_port != 0) forward(options.http_port, image.http_port);
    if (serves_https(image)) {
      // The redirect names the port inside, so that is the same, unless a boot key says another.
      const bool is_given = std::ranges::any_of(options.boot_keys, [](const std::string& key) {
        return key.starts_with("--https-port");
      });
      if (!is_given) append = "--https-port=" + std::to_string(options.https_port);
      forward(options.https_port, is_given ? image.https_port : options.https_port);
    }
  }
  if (!append.empty() && !options.boot_keys.empty()) append += ' ';
  append += crunch::run::boot_line_of(options.boot_keys);
  std::vector<std::string> words{program, "-nodefaults", "-no-user-config", "-no-reboot"};
  auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  add({"-machine", "q35"});
  if (options.uses_kvm) {
    add({"-accel", "kvm", "-cpu", "host"});
  } else {
    add({"-accel", "tcg", "-cpu", "max"});
  }
  add({"-m", std::to_string(options.memory_mib), "-kernel", options.image, "-append", append,
       "-display", "none", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0x501,iosize=1",
       "-chardev", "socket,id=monitor,fd=" + std::to_string(monitor_fd), "-mon",
       "chardev=monitor,mode=control", "-device", "virtio-rng-pci"});
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const std::string name = "wire" + std::to_string(i + 1);
    add({"-netdev", networks[i] + ",id=" + name, "-device",
         "virtio-net-pci,netdev=" + name + ",romfile="});
  }
  for (std::size_t i = 0; i < options.disks.size(); ++i) {
    const std::string name = "disk" + std::to_string(i + 1);
    // What is flushed is durable, and nobody else opens it meanwhile (file.locking).
    add({"-drive",
         "if=none,format=raw,cache=writeback,file.locking=on,file.filename=" +
             with_commas_doubled(options.disks[i]) + ",id=" + name,
         "-device", "virtio-blk-pci,drive=" + name});
  }
  return words;
}

class Machine {
 public:
  Machine(const Options& options, const Image& image, const std::string& program) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      fail("make a monitor for", qemu_name, errno);
    }
    monitor_ = Descriptor(ends[0]);
    const Descriptor theirs(ends[1]);
    std::vector<std::string> words = qemu_words(options, image, program, theirs.get());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) fail("start", program, errno);
    if (pid_ == 0) start(argv, theirs.get());
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // Presses the power button.
  void ask_to_stop() const {
    constexpr std::string_view words =
        "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"system_powerdown\"}\n";
    static_cast<void>(::send(monitor_.get(), words.data(), words.size(), MSG_NOSIGNAL));
  }

  // Waits a little; QEMU's exit code once it has ended.
  std::optional<int> wait_a_little() {
    pollfd wait{monitor_.get(), POLLIN, 0};
    if (::poll(&wait, 1, 50) > 0) {
      std::array<char, 4096> unread{};
      // At its end there is nothing to wait for but the process.
      if (::recv(monitor_.get(), unread.data(), unread.size(), 0) <= 0) ::usleep(10'000);
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  // In the child. Its own group: the terminal's Ctrl-C is for crunch alone.
  [[noreturn]] static void start(const std::vector<char*>& argv, int monitor) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::fcntl(monitor, F_SETFD, 0);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  pid_t pid_ = -1;
  Descriptor monitor_;
};

void say_where(const Options& options, const Image& image) {
  if (!options.nets.empty()) {
    std::string nets;
    for (const std::string& tap : options.nets) nets += (nets.empty() ? "" : " and ") + tap;
    std::printf("%s runs on %s until Ctrl-C; its console says its address\n", options.image.c_str(),
                nets.c_str());
  } else if (image.http_port == 0 && !serves_https(image)) {
    std::printf("%s runs until Ctrl-C\n", options.image.c_str());
  } else if (serves_https(image)) {
    std::printf("%s is served at http://localhost:%u/ and https://localhost:%u/ until Ctrl-C\n",
                options.image.c_str(), options.http_port, options.https_port);
  } else {
    std::printf("%s is served at http://localhost:%u/ until Ctrl-C\n", options.image.c_str(),
                options.http_port);
  }
  std::fflush(stdout);
}

int wait_for_end(Machine& machine) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point patience_ends = Clock::time_point::max();
  for (;;) {
    if (const std::optional<int> code = machine.wait_a_little()) {
      // isa-debug-exit makes 2 * status + 1; switching off is 0.
      if (*code == 0) return 0;
      if (*code % 2 == 1 && *code > 1) return *code / 2;
      throw Failure(std::string(qemu_name) + " ended with " + std::to_string(*code));
    }
    if (signals > 0 && patience_ends == Clock::time_point::max()) {
      machine.ask_to_stop();
      patience_ends = Clock::now() + std::chrono::seconds(stop_patience_s);
    }
    if (signals > 1 || Clock::now() > patience_ends) return 128 + SIGKILL;
  }
}

int start(const Options& options, const Image& image) {
  if (options.traces) throw crunch::Usage("--trace is not for machines in QEMU");
  constexpr std::size_t disks_max = 16;
  // Until QEMU has ended: it locks files in another way (fcntl) than crunch disk does.
  const auto held = crunch::run::hold_disks(options, disks_max);
  const std::optional<std::string> program = crunch::find_program(qemu_name);
  if (!program) {
    throw Failure(std::string("there is no ") + qemu_name +
                  " in PATH; on Debian: apt install qemu-system-x86");
  }
  for (const std::string& tap : options.nets) {
    if (::if_nametoindex(tap.c_str()) != 0) continue;
    throw Failure("there is no network device " + in_quotes(tap) + "; make one by: ip tuntap add " +
                  tap + " mode tap user $USER");
  }
  // It counts the bytes that it loads in an int.
  if (std::filesystem::file_size(options.image) > std::numeric_limits<int>::max()) {
    throw Failure(
        "QEMU loads images of at most 2 GiB; start this one with Firecracker or Cloud "
        "Hypervisor, or build it for unix");
  }
  Options chosen = options;
  if (chosen.memory_mib == 0) chosen.memory_mib = crunch::run::memory_for(options.image);
  std::optional<Port> http;
  std::optional<Port> https;
  if (chosen.nets.empty()) {
    http.emplace(options.http_port == 0 ? 8080 : options.http_port, options.http_port != 0);
    chosen.http_port = http->number();
    if (serves_https(image)) {
      https.emplace(options.https_port == 0 ? 8443 : options.https_port, options.https_port != 0);
      chosen.https_port = https->number();
    }
  }
  count_signals();
  Machine machine(chosen, image, *program);
  say_where(chosen, image);
  return wait_for_end(machine);
}

}  // namespace

const crunch::run::Runner& runner() {
  static constexpr crunch::run::Runner ours{
      .target = "virtio",
      .net_help = "virtio: a tap; without it QEMU's user network",
      .trace_help = "",
      .example =
          "crunch build htdocs -t virtio -o site.virtio && crunch run site.virtio -- "
          "--log=combined",
      .start = start};
  return ours;
}

}  // namespace host::virtio_target
