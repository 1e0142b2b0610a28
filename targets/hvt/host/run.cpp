// SPDX-License-Identifier: ISC
// targets/hvt/host/run.cpp: an image as a guest of hvt-tender, which lies beside crunch.
//
// States:  on a tap that is there, crunch becomes the tender. With `auto` it makes a network
//          (own_network.hpp), starts the tender on it, hands SIGINT and SIGTERM on, and takes the
//          network away when the tender has ended.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "crunch/build/recipe.hpp"
#include "crunch/failure.hpp"
#include "crunch/run/runner.hpp"
#include "targets/hvt/host/own_network.hpp"

namespace host::hvt_target {
namespace {

namespace fs = std::filesystem;
using crunch::fail;
using crunch::Failure;
using crunch::Usage;
using crunch::run::Options;

constexpr std::string_view own_network = "auto";

std::string tender_path() {
  const fs::path path = fs::path(crunch::build::recipe_folder()) / "../../bin/hvt-tender";
  if (::access(path.c_str(), X_OK) != 0) {
    throw Failure("there is no hvt-tender in the folder of crunch; install them together");
  }
  return fs::weakly_canonical(path).string();
}

[[noreturn]] void become_tender(const std::vector<std::string>& words) {
  const int error = crunch::run::become(words);
  std::fprintf(stderr, "crunch: %s\n", crunch::sentence_of("start", words.front(), error).c_str());
  ::_exit(1);
}

// The tender's words for an image on this network: a tap's name, or "@N".
std::vector<std::string> tender_words(const Options& options, const std::string& network,
                                      const std::vector<std::string>& keys) {
  const std::uint32_t mib =
      options.memory_mib != 0 ? options.memory_mib : crunch::run::memory_for(options.image);
  std::vector<std::string> words{tender_path(), "--mem=" + std::to_string(mib),
                                 "--net:service=" + network};
  for (std::size_t i = 0; i < options.disks.size(); ++i) {
    words.push_back("--block:disk" + std::to_string(i + 1) + "=" + options.disks[i]);
  }
  if (options.traces) words.emplace_back("--trace");
  words.insert(words.end(), {options.image, "--", crunch::run::boot_line_of(keys)});
  return words;
}

bool says_an_address(const std::vector<std::string>& keys) {
  return std::ranges::any_of(keys, [](const std::string& key) {
    return key.starts_with("--ipv4") || key.starts_with("--dhcp");
  });
}

volatile pid_t tender = -1;

// Each signal is handed on: the tender drains its guest at the first, and dies by the second.
void hand_signals_on() {
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (tender > 0) ::kill(tender, number == SIGHUP ? SIGTERM : number);
  };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

// The tender's exit status.
int run_on(OwnNetwork& network, std::vector<std::string> words) {
  sigset_t mine{};
  sigset_t before{};
  sigemptyset(&mine);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&mine, number);
  // None of them comes before there is somebody to hand it to.
  ::sigprocmask(SIG_BLOCK, &mine, &before);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) fail("start", words.front(), errno);
  if (child == 0) {
    // A crunch that is killed takes its guest with it, in order.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::setpgid(0, 0);  // the terminal's Ctrl-C is for crunch, which hands it on
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::fcntl(network.tap_fd(), F_SETFD, 0);
    become_tender(words);
  }
  tender = child;
  hand_signals_on();
  network.give_tap_away();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  int status = 0;
  while (::waitpid(child, &status, 0) != child) {
    if (errno != EINTR) fail("wait for", words.front(), errno);
  }
  tender = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_on_own_network(const Options& options, const crunch::run::Image& image) {
  OwnNetwork network;
  std::vector<std::string> keys = options.boot_keys;
  if (says_an_address(keys)) {
    std::printf("%s runs on %s, where this machine is %s, until Ctrl-C\n", options.image.c_str(),
                network.bridge().c_str(), network.host().c_str());
  } else {
    keys.insert(keys.begin(), {"--ipv4=" + network.guest() + "/24",
                               "--ipv4-gateway=" + network.host(), "--ipv6=off"});
    const auto url = [&](std::string scheme, std::uint16_t port, std::uint16_t usual) {
      scheme += "://" + network.guest();
      return scheme + (port == usual ? "" : ":" + std::to_string(port)) + "/";
    };
    std::string urls;
    if (image.http_port != 0) urls = url("http", image.http_port, 80);
    if (image.has_certificates && image.https_port != 0) {
      urls += (urls.empty() ? "" : " and ") + url("https", image.https_port, 443);
    }
    std::printf(
        "%s %s until Ctrl-C\n", options.image.c_str(),
        urls.empty() ? ("runs at " + network.guest()).c_str() : ("is served at " + urls).c_str());
  }
  std::fflush(stdout);
  return run_on(network, tender_words(options, "@" + std::to_string(network.tap_fd()), keys));
}

// A tender starts an image only with as many as its manifest has; whether they will do, it says.
void check_disks(const Options& options, const crunch::run::Image& image) {
  const std::size_t count = image.block_device_count;
  if (count == 0 && !options.disks.empty()) {
    throw Usage("this image was built without a disk: build it with --set vault=block");
  }
  crunch::run::check_disks(options, count);
  if (options.disks.size() == count) return;
  throw Usage("this image has " + std::to_string(count) + (count == 1 ? " disk" : " disks") +
              ", and a tender starts it only with " + (count == 1 ? "it" : "all of them") +
              ": give --disk FILE" + (count == 1 ? "" : " for each"));
}

int start(const Options& options, const crunch::run::Image& image) {
  if (options.http_port != 0 || options.https_port != 0 || options.uses_kvm) {
    throw Usage(
        "--http, --https and --kvm are for machines in QEMU; this is a guest of hvt-tender");
  }
  check_disks(options, image);
  if (options.nets.empty()) {
    throw Usage("a guest of hvt-tender needs --net: a tap that is there, or, as root, auto");
  }
  if (options.nets.size() > 1) {
    throw Usage("a guest of hvt-tender has one network device: give --net once");
  }
  const std::string& net = options.nets.front();
  if (net == own_network) return run_on_own_network(options, image);
  become_tender(tender_words(options, net, options.boot_keys));
}

}  // namespace

const crunch::run::Runner& runner() {
  static constexpr crunch::run::Runner ours{
      .target = "hvt",
      .net_help = "hvt: a tap; or auto (as root): a tap and a bridge of its own",
      .trace_help = "hvt: each hypercall",
      .example =
          "crunch build htdocs -t hvt -o site.hvt && sudo crunch run site.hvt --net auto --trace",
      .start = start};
  return ours;
}

}  // namespace host::hvt_target
