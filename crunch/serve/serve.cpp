// SPDX-License-Identifier: ISC
#include "crunch/serve/serve.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <span>

#include "crunch/certificate/certificate.hpp"
#include "crunch/embed/site_rules.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/serve/https.hpp"
#include "crunch/serve/live_reload.hpp"
#include "crunch/serve/outside.hpp"
#include "crunch/serve/poller.hpp"
#include "crunch/serve/watcher.hpp"
#include "http/server.hpp"
#include "kv/directory/directory.hpp"
#include "net/sockets/sockets.hpp"
#include "targets/unix/platform.hpp"

namespace crunch::serve {

namespace {

using Site = LiveReload<kv::Directory>;

// Writes log lines through, but for those of the pages that listen for changes: nobody asked for
// these requests.
class LogLines final : public base::Console {
 public:
  explicit LogLines(base::Console& below) : below_(below) {}
  // `text` is whole lines.
  void write(std::string_view text) noexcept override {
    while (!text.empty()) {
      std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end);
      if (line.find(" /.crunch/") == std::string_view::npos) below_.write(line);
    }
  }

 private:
  base::Console& below_;
};

std::string name_of(const std::string& scheme, const Options& options, std::uint16_t port) {
  return scheme + "://" + options.host_name + ':' + std::to_string(port) + '/';
}

// The one that is named, or one made for the host's name.
certificate::Pair certificate_of(const Options& options) {
  std::string host = options.host_name;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const certificate::Pair pair = options.certificate.empty()
                                     ? certificate::self_signed(host)
                                     : certificate::load(options.certificate, options.key);
  std::vector<std::string> warnings = certificate::check(pair).warnings;
  warnings.push_back(certificate::not_covered(pair, host));
  for (const std::string& warning : warnings) {
    if (!warning.empty()) std::fprintf(stderr, "crunch: warning: %s\n", warning.c_str());
  }
  return pair;
}

std::uint32_t random_number(base::Entropy& entropy) {
  std::uint32_t number = 0;
  entropy.fill(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

// The names that the preview answers to; empty: any.
http::Options options_of(const Options& options) {
  http::Options out;
  out.serves_own_folder = true;
  if (std::ranges::find(options.allowed_hosts, "*") != options.allowed_hosts.end()) return out;
  out.hosts = options.allowed_hosts;
  out.hosts.push_back("localhost");
  out.hosts.push_back(options.host_name);
  return out;
}

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &parts)};
}

// Which files the rules are in, and how old they are.
std::string state_of_rules(const std::string& directory, const std::vector<std::string>& rules) {
  std::string state;
  const std::string inside = directory + "/";
  std::vector<std::string> paths{inside + "crunch.toml", directory + "/../crunch.toml"};
  for (const std::string& file : rules) {
    paths.push_back(inside + file);
    // Whether the folder has these pages decides what some rules mean.
    const std::string folder = paths.back().substr(0, paths.back().rfind('/') + 1);
    for (const char* page : {"404.html", "200.html"}) paths.push_back(folder + page);
  }
  for (const std::string& path : paths) {
    struct stat meta {};
    if (::stat(path.c_str(), &meta) != 0) continue;
    state += path + ' ' + std::to_string(meta.st_ino) + ' ' + std::to_string(meta.st_size) + ' ' +
             std::to_string(meta.st_mtim.tv_sec) + '.' + std::to_string(meta.st_mtim.tv_nsec) + ' ';
  }
  return state;
}

// One preview, from its start to its end. Its parts are built and destroyed in this order.
class Preview {
 public:
  Preview(kv::Directory& directory, const Options& options,
          const std::optional<certificate::Pair>& pair, unix_target::Platform& platform)
      : options_(options),
        platform_(platform),
        changes_(platform.loop, random_number(platform.entropy)),
        site_(directory, changes_),
        stack_(platform.loop, platform.descriptors, platform.log, {.address = options.address}),
        lines_(platform.console),
        log_(lines_, platform.loop, http::LogFormat::brief),
        server_(site_, stack_, platform.loop, options_of(options), log_),
        rules_timer_(platform.loop, *this) {
    if (pair) {
      http::Options secure = options_of(options);
      secure.is_secure = true;
      https_.emplace(site_, stack_, platform.loop, platform.entropy, *pair, secure, log_);
    }
    auto tell = [this](const Changed& changed) { say_changed(changed); };
    if (options.polls) {
      poller_.emplace(directory.path(), platform.loop, Poller::Options{options.dotfiles}, tell);
    } else {
      watcher_.emplace(directory.path(), platform.loop, platform.descriptors, platform.log,
                       Watcher::Options{.dotfiles = options.dotfiles}, tell);
    }
    look_at_rules();
  }

  // A sentence, if a port cannot be had.
  net::ListenResult<void> run() {
    auto listening = server_.listen(options_.port);
    for (std::uint16_t next = 1; !listening && options_.may_take_next_port && next < 20; ++next) {
      listening = server_.listen(static_cast<std::uint16_t>(options_.port + next));
    }
    if (listening && https_) listening = https_->listen(*options_.https_port);
    if (!listening) return listening;
    say_addresses();
    if (options_.polls || watcher_->is_watching()) {
      platform_.console.write("pages reload by themselves when a file changes\n");
    }
    const std::string why = why_nothing_is_told(options_.directory);
    if (!options_.polls && !why.empty()) {
      platform_.console.write("crunch: note: " + why + "; --poll looks for them every second\n");
    }
    if (options_.opens_browser && !open_browser(name_of("http", options_, server_.port()))) {
      platform_.console.write("crunch: warning: no browser was found; BROWSER=program names one\n");
    }
    platform_.on_stop = [this] {
      rules_timer_.disarm();
      changes_.stop();
      server_.drain();
      if (https_) https_->drain();
    };
    platform_.loop.spawn(server_.run());
    if (https_) platform_.loop.spawn(https_->run());
    platform_.ready();
    platform_.loop.run();
    return {};
  }

 private:
  void say_addresses() {
    std::string text = options_.directory + " is served at " +
                       name_of("http", options_, server_.port()) + " until Ctrl-C\n";
    if (https_) {
      text += "and at " + name_of("https", options_, https_->port()) +
              (options_.certificate.empty()
                   ? " (with a certificate of its own making: browsers will ask)\n"
                   : "\n");
    }
    const bool is_everywhere = options_.address.address == net::Endpoint{}.address;
    std::string code;
    if (is_everywhere) {
      for (const std::string& address : network_addresses()) {
        const std::string url = "http://" + address + ':' + std::to_string(server_.port()) + '/';
        text += "and to others in the network at " + url + "\n";
        if (options_.shows_qr && code.empty()) code = url;
      }
    }
    if (options_.shows_qr && code.empty()) {
      text += "crunch: warning: this machine has no address in a network\n";
    } else if (options_.shows_qr) {
      const std::string lines = qr_code(code);
      text += lines.empty() ? "(with the package libqrencode4 there is a QR code here)\n" : lines;
    }
    platform_.console.write(text);
  }

  void say_changed(const Changed& changed) {
    changes_.note(changed.change);
    std::string name = changed.path;
    const std::string prefix = options_.directory + '/';
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
    struct stat meta {};
    const bool is_gone = !name.empty() && ::lstat(changed.path.c_str(), &meta) != 0;
    if (name.empty()) name = "the directory";
    std::string line = time_of_day() + ' ' + (is_utf8(name) ? name : in_quotes(name));
    if (changed.count > 1) line += " and " + std::to_string(changed.count - 1) + " more";
    platform_.console.write(line + (is_gone && changed.count == 1 ? " is gone\n" : " changed\n"));
  }

  struct RulesTimer final : base::Timer {
    RulesTimer(base::Loop& loop, Preview& its_preview) : Timer(loop), preview(its_preview) {}
    void expired() override { preview.look_at_rules(); }
    Preview& preview;
  };

  // Compiles the rules again when a file of theirs has changed. Rules with errors change nothing:
  // the last good ones serve on.
  void look_at_rules() {
    rules_timer_.arm(platform_.loop.now() + std::chrono::milliseconds(500));
    std::string state = state_of_rules(options_.directory, rules_files_);
    if (is_looked_at_ && state == rules_state_) return;
    rules_state_ = std::move(state);
    std::string findings;
    auto say = [&](const std::string& line) {
      platform_.console.write(line + '\n');
      if (!line.starts_with("crunch: note: ")) findings += line + '\n';
    };
    try {
      const embed::SiteFile site_file = embed::read_site_file(options_.directory);
      const std::vector<std::string> files = embed::rules_files_of(site_file);
      if (files != rules_files_) {
        rules_files_ = files;
        rules_state_ = state_of_rules(options_.directory, rules_files_);
      }
      const http::site::Compiled compiled = embed::compile_rules(site_file, options_.directory);
      embed::say_findings(compiled.findings, say);
      if (!compiled.has_errors()) {
        auto rules =
            compiled.plan.empty() ? nullptr : http::site::Rules::open(compiled.plan, false);
        server_.use(rules);
        if (https_) https_->use(rules);
      }
    } catch (const Failure& failure) {
      say(std::string("crunch: ") + failure.what());
    }
    changes_.findings = std::move(findings);
    if (std::exchange(is_looked_at_, true)) changes_.note(Change::page);
  }

  const Options& options_;
  unix_target::Platform& platform_;
  Changes changes_;
  Site site_;
  std::optional<Watcher> watcher_;
  std::optional<Poller> poller_;
  net::Sockets stack_;
  LogLines lines_;
  http::AccessLog log_;
  http::Server<Site, net::Sockets> server_;
  std::optional<Https<Site, net::Sockets>> https_;
  std::vector<std::string> rules_files_ = embed::rules_files_of({});
  std::string rules_state_;
  bool is_looked_at_ = false;
  RulesTimer rules_timer_;
};

}  // namespace

void set_host(Options& options, const std::string& host) {
  options.address = {};
  options.host_name = host;
  if (host == "localhost") {
    options.address = net::ipv4(127, 0, 0, 1, 0);
    return;
  }
  if (host == "all") {
    options.host_name = "localhost";
    return;
  }
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&four);
    options.address = net::ipv4(bytes[0], bytes[1], bytes[2], bytes[3], 0);
    return;
  }
  if (inet_pton(AF_INET6, host.c_str(), options.address.address.data()) == 1) {
    options.host_name = '[' + host + ']';
    return;
  }
  throw Usage("--host " + in_quotes(host) +
              " is no address: give localhost, all, or an IPv4 or IPv6 address of this machine");
}

int serve(const Options& options) {
  check_directory(options.directory);
  note_missing_index(options.directory);
  kv::Directory directory(options.directory, {.dotfiles = options.dotfiles});
  std::optional<certificate::Pair> pair;
  if (options.https_port) pair = certificate_of(options);
  std::string refusal;
  int status = unix_target::start(0, nullptr, {.ends_with_terminal = true},
                                  [&](unix_target::Platform& platform) {
                                    Preview preview(directory, options, pair, platform);
                                    net::ListenResult<void> ran = preview.run();
                                    if (!ran) refusal = ran.error();
                                    return ran ? 0 : 1;
                                  });
  if (!refusal.empty()) throw Failure(refusal);
  return status;
}

}  // namespace crunch::serve
