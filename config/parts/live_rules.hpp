// SPDX-License-Identifier: ISC
// config/parts/live_rules.hpp: the rules of a site that is served from a store that changes:
// _redirects and _headers at its root, compiled when the server starts and again when they change.
//
// States:  LiveRules.   Used by: config/parts/http_job.hpp.
// Rule:    the files are looked at once a second. Rules with errors change nothing: the last good
//          ones stay, and the log says why. crunch.toml is not read: the dialect is decided by the
//          evidence in the files.
// Memory:  after a failed allocation the rules stay as they were until the next look.

#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "base/loop.hpp"
#include "http/site/compile.hpp"
#include "http/site/rules.hpp"
#include "kv/kv.hpp"

namespace config {

template <kv::Source Store>
class LiveRules final : private base::Timer {
 public:
  using Use = std::function<void(std::shared_ptr<const http::site::Rules>)>;

  // All outlive it. `log`: where findings go; null: nowhere.
  LiveRules(Store& store, base::Loop& loop, base::Log* log, Use use)
      : Timer(loop), store_(store), loop_(loop), log_(log), use_(std::move(use)) {}

  // Looks now, and from then on until stop().
  base::Task<void> look() {
    try {
      co_await compile_what_changed();
    } catch (const std::bad_alloc&) {
      seen_.reset();
    }
    if (!is_stopped_) arm(loop_.now() + std::chrono::seconds(1));
  }
  void stop() noexcept {
    is_stopped_ = true;
    disarm();
  }

 private:
  struct File {
    const char* key;
    std::optional<std::string> text = std::nullopt;  // of rules
    bool is_there = false;
  };
  // The pages decide what some rules mean.
  using Files = std::array<File, 4>;

  void expired() override { loop_.spawn(look()); }

  base::Task<void> compile_what_changed() {
    Files files{{{"_redirects"}, {"_headers"}, {"404.html"}, {"200.html"}}};
    std::string seen;
    for (File& file : files) {
      const kv::Result<kv::Stat> stat = co_await store_.stat(file.key);
      if (!stat && stat.error() == kv::Error::unavailable) co_return;
      file.is_there = stat.has_value();
      if (!stat) continue;
      const kv::Form& form = stat->form(kv::Encoding::identity);
      seen += std::string(file.key) + ' ' + std::to_string(stat->modified_s) + ' ' +
              std::to_string(form.size_bytes) + ' ';
      seen.append(form.digest.data(), form.digest.size());
    }
    if (seen_ == seen) co_return;
    for (File& file : files) {
      const bool is_text = &file < &files[2];
      if (is_text && file.is_there && !co_await read(file)) co_return;
    }
    compile(files);
    seen_ = std::move(seen);
  }

  // False: it changes, or cannot be read now.
  base::Task<bool> read(File& file) {
    std::string text;
    while (text.size() <= http::site::file_bytes_max) {
      auto value = co_await store_.get_partial(file.key, kv::Encoding::identity, text.size(),
                                               Store::piece_bytes_max);
      if (!value) co_return false;
      const kv::Bytes bytes(*value);
      if (bytes.empty()) break;
      text += base::text_of(bytes);
    }
    file.text = std::move(text);
    co_return true;
  }

  void compile(const Files& files) {
    http::site::SiteFiles asked;
    asked.has = [&files](const std::string& key) {
      for (const File& file : files) {
        if (key == file.key) return file.is_there;
      }
      return false;
    };
    asked.text = [&files](const std::string& key) -> std::optional<std::string> {
      for (const File& file : files) {
        if (key == file.key) return file.text;
      }
      return std::nullopt;
    };
    const http::site::Compiled compiled = http::site::compile({}, {}, asked);
    for (const http::site::Finding& finding : compiled.findings) say(finding);
    if (compiled.has_errors()) return;
    use_(compiled.plan.empty() ? nullptr : http::site::Rules::open(compiled.plan, false));
  }

  void say(const http::site::Finding& finding) {
    if (log_ == nullptr) return;
    switch (finding.weight) {
      case http::site::Finding::Weight::error:
        log_->error({finding.message(), "; the rules stay as they were"});
        break;
      case http::site::Finding::Weight::warning:
        log_->warning({finding.message()});
        break;
      case http::site::Finding::Weight::note:
        log_->info({finding.message()});
        break;
    }
  }

  Store& store_;
  base::Loop& loop_;
  base::Log* log_;
  Use use_;
  std::optional<std::string> seen_;  // of the files whose rules are in use
  bool is_stopped_ = false;
};

// In its place where a store never changes.
struct NoLiveRules {};

}  // namespace config
