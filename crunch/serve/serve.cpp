// SPDX-License-Identifier: ISC
#include "crunch/serve/serve.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>

#include "crunch/certificate/certificate.hpp"
#include "crunch/embed/site_rules.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/serve/https.hpp"
#include "crunch/serve/live_reload.hpp"
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

// Which files the rules are in, and how old they are.
std::string state_of_rules(const std::string& directory) {
  std::string state;
  const std::string inside = directory + "/", beside = directory + "/../";
  for (const std::string& path :
       {inside + "_redirects", inside + "_headers", inside + "crunch.toml", beside + "crunch.toml",
        inside + "404.html", inside + "200.html"}) {
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
        watcher_(directory.path(), platform.loop, platform.descriptors, platform.log,
                 {.dotfiles = options.dotfiles}, [this](Change change) { changes_.note(change); }),
        stack_(platform.loop, platform.descriptors, platform.log, {.address = options.address}),
        lines_(platform.console),
        log_(lines_, platform.loop, http::LogFormat::brief),
        server_(site_, stack_, platform.loop, options_of(options), log_),
        rules_timer_(platform.loop, *this) {
    if (pair) {
      https_.emplace(site_, stack_, platform.loop, platform.entropy, *pair, options_of(options),
                     log_);
    }
    look_at_rules();
  }

  // A sentence, if a port cannot be had.
  net::ListenResult<void> run() {
    auto listening = server_.listen(options_.port);
    if (listening && https_) listening = https_->listen(*options_.https_port);
    if (!listening) return listening;
    std::string text = options_.directory + " is served at " +
                       name_of("http", options_, server_.port()) + " until Ctrl-C\n";
    if (https_) {
      text += "and at " + name_of("https", options_, https_->port()) +
              (options_.certificate.empty()
                   ? " (with a certificate of its own making: browsers will ask)\n"
                   : "\n");
    }
    platform_.console.write(text);
    if (watcher_.is_watching()) {
      platform_.console.write("pages reload by themselves when a file changes\n");
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
  struct RulesTimer final : base::Timer {
    RulesTimer(base::Loop& loop, Preview& its_preview) : Timer(loop), preview(its_preview) {}
    void expired() override { preview.look_at_rules(); }
    Preview& preview;
  };

  // Compiles the rules again when a file of theirs has changed. Rules with errors change nothing:
  // the last good ones serve on.
  void look_at_rules() {
    rules_timer_.arm(platform_.loop.now() + std::chrono::milliseconds(500));
    std::string state = state_of_rules(options_.directory);
    if (is_looked_at_ && state == rules_state_) return;
    rules_state_ = std::move(state);
    std::string findings;
    auto say = [&](const std::string& line) {
      platform_.console.write(line + '\n');
      if (!line.starts_with("crunch: note: ")) findings += line + '\n';
    };
    try {
      const http::site::Compiled compiled =
          embed::compile_rules(embed::read_site_file(options_.directory), options_.directory);
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
  Watcher watcher_;
  net::Sockets stack_;
  LogLines lines_;
  http::AccessLog log_;
  http::Server<Site, net::Sockets> server_;
  std::optional<Https<Site, net::Sockets>> https_;
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
