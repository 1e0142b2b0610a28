// SPDX-License-Identifier: ISC
// crunch/serve/live_reload.hpp: a store whose HTML pages reload themselves when the site changes.
//
// Models:  kv::KvRo, over any.   Owns: the pages that it made, bounded. The store below and the
//          Changes outlive it.
// Shows:   what the store below has, except that
//          1. an HTML value of at most page_bytes_max is followed by a line that loads the script;
//             it has the identity form only, and size and digest are of what is served;
//          2. nothing may be kept by a browser without asking again, whatever its name says;
//          3. ".crunch" is this store's own (crunch/serve/page.hpp): it hides the one below.
// Waits:   stat of an event stream, until something changes, wait_within or Changes::stop().
//          Its size is the same whatever it says, so what `get` gives a moment later fits.
// Pages:   `stat` makes a page anew when it, or the version it names, has changed; get and
//          get_partial give the page of the last stat, so that a head and the bytes behind it
//          belong together.

#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "crunch/serve/changes.hpp"
#include "crunch/serve/page.hpp"
#include "http/caching.hpp"
#include "http/head.hpp"
#include "http/mime.hpp"
#include "kv/digest.hpp"
#include "kv/field_pool.hpp"
#include "kv/key.hpp"
#include "kv/kv.hpp"
#include "kv/reading.hpp"

namespace crunch::serve {

template <kv::KvRo Store>
class LiveReload {
 public:
  class Value {
   public:
    explicit Value(typename Store::Value value) : held_(std::in_place_index<0>, std::move(value)) {}
    Value(std::shared_ptr<const std::string> whole, kv::Bytes part)
        : held_(std::in_place_index<1>, Part{std::move(whole), part}) {}
    operator kv::Bytes() const {
      if (held_.index() == 0) return static_cast<kv::Bytes>(*std::get_if<0>(&held_));
      return std::get_if<1>(&held_)->bytes;
    }

   private:
    struct Part {
      std::shared_ptr<const std::string> whole;
      kv::Bytes bytes;
    };
    std::variant<typename Store::Value, Part> held_;
  };
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = Store::piece_bytes_max;

  static constexpr std::uint64_t page_bytes_max = 16 * 1024 * 1024;
  static constexpr std::uint64_t pages_bytes_max = 64 * 1024 * 1024;  // of those that are kept
  static constexpr std::string_view cached_shortly = "no-cache";
  // A head is read right after its stat; so many requests are never between the two.
  static constexpr std::size_t heads_max = 4096;
  static constexpr base::Duration wait_within = std::chrono::seconds(25);

  // The store's, and the page that stat described.
  struct Reading {
    [[no_unique_address]] kv::Reading<Store> below;
    std::string key;
    std::shared_ptr<const std::string> page;
  };

  LiveReload(Store& store, Changes& changes) : store_(store), changes_(changes) {}

  [[nodiscard]] Reading reading() { return {kv::begin_reading(store_), {}, nullptr}; }

  [[nodiscard]] std::uint64_t kept_bytes() const noexcept { return pages_bytes_; }

  [[nodiscard]] base::Task<kv::Result<kv::Kind>> exists(kv::Key key) {
    if (is_own(key)) co_return own_kind(key);
    kv::Result<kv::Kind> kind = co_await store_.exists(key);
    co_return kind;
  }

  [[nodiscard]] base::Task<kv::Result<kv::Stat>> stat(kv::Key key) {
    Reading once = reading();
    kv::Result<kv::Stat> known = co_await stat(once, key);
    co_return known;
  }

  // `reading` lives until the answer is there; here and below.
  [[nodiscard]] base::Task<kv::Result<kv::Stat>> stat(Reading& reading, kv::Key key) {
    reading.key = kv::without_slash(key);
    reading.page = nullptr;
    if (is_own(key)) {
      std::optional<Version> version = version_in(key);
      if (version) co_await changes_.after(*version, wait_within);
      co_return own_stat(key);
    }
    // A page that is being written, or was since its stat, is unavailable: it is soon done.
    for (int attempts = 3;; --attempts) {
      const Version version = changes_.current();
      kv::Result<kv::Stat> below = co_await kv::stat(store_, reading.below, key);
      if (below && is_page(key, *below)) {
        below = co_await make_page(reading, key, *below, version);
      } else {
        forget(key);
        if (below && http::cache_control(key) != cached_shortly) below = fresh(key, *below);
      }
      if (below || below.error() != kv::Error::unavailable || attempts == 1) co_return below;
    }
  }

  [[nodiscard]] base::Task<kv::Result<Value>> get(kv::Key key, kv::Encoding encoding) {
    kv::Result<std::shared_ptr<const std::string>> page = co_await page_for(key, encoding);
    if (!page) co_return base::failure(page.error());
    if (*page != nullptr) co_return Value(*page, base::bytes_of(**page));
    kv::Result<typename Store::Value> below = co_await store_.get(key, encoding);
    if (!below) co_return base::failure(below.error());
    co_return Value(std::move(*below));
  }

  [[nodiscard]] base::Task<kv::Result<Value>> get_partial(kv::Key key, kv::Encoding encoding,
                                                          std::uint64_t offset,
                                                          std::uint64_t length) {
    Reading once = reading();
    kv::Result<Value> value = co_await get_partial(once, key, encoding, offset, length);
    co_return value;
  }

  [[nodiscard]] base::Task<kv::Result<Value>> get_partial(Reading& reading, kv::Key key,
                                                          kv::Encoding encoding,
                                                          std::uint64_t offset,
                                                          std::uint64_t length) {
    const bool is_known = reading.page != nullptr && reading.key == kv::without_slash(key) &&
                          encoding == kv::Encoding::identity;
    kv::Result<std::shared_ptr<const std::string>> page = reading.page;
    if (!is_known) page = co_await page_for(key, encoding);
    if (!page) co_return base::failure(page.error());
    if (*page != nullptr) {
      co_return Value(*page, kv::part_of(base::bytes_of(**page), offset, length));
    }
    kv::Result<typename Store::Value> below =
        co_await kv::get_partial(store_, reading.below, key, encoding, offset, length);
    if (!below) co_return base::failure(below.error());
    co_return Value(std::move(*below));
  }

  [[nodiscard]] base::Task<kv::Result<std::vector<kv::Entry>>> list(kv::Key key) {
    if (is_own(key)) co_return own_list(key);
    kv::Result<std::vector<kv::Entry>> entries = co_await store_.list(key);
    if (entries && kv::without_slash(key).empty()) {
      std::erase_if(*entries, [](const kv::Entry& entry) { return entry.name == own_directory; });
      entries->push_back({std::string(own_directory), kv::Kind::dictionary});
      std::ranges::sort(*entries, {}, &kv::Entry::name);
    }
    co_return entries;
  }

 private:
  using Text = std::shared_ptr<const std::string>;
  struct Page {
    std::string key;
    kv::Digest below{};
    Version version = 0;
    kv::Form form;
    Text text;
  };

  // ---- what is this store's own -----------------------------------------------------------------

  static bool is_own(kv::Key key) {
    key = kv::without_slash(key);
    return kv::take_segment(key) == own_directory;
  }
  // The key below ".crunch"; not of ".crunch/".
  static kv::Key own_name(kv::Key key) {
    key = kv::without_slash(key);
    return key.substr(std::min(key.size(), own_directory.size() + 1));
  }
  static std::optional<Version> version_in(kv::Key key) {
    kv::Key name = own_name(key);
    if (!name.starts_with(since_name)) return std::nullopt;
    return version_of(name.substr(since_name.size()));
  }

  static kv::Result<kv::Kind> own_kind(kv::Key key) {
    if (key.ends_with('/')) return base::failure(kv::Error::not_found);
    kv::Key name = own_name(key);
    if (name.empty()) return kv::Kind::dictionary;
    if (name == script_name || name == findings_name || version_in(key)) return kv::Kind::value;
    return base::failure(kv::Error::not_found);
  }

  kv::Result<Text> own_text(kv::Key key) const {
    kv::Result<kv::Kind> kind = own_kind(key);
    if (!kind) return base::failure(kind.error());
    if (*kind == kv::Kind::dictionary) return base::failure(kv::Error::value_expected);
    if (own_name(key) == findings_name) {
      return std::make_shared<const std::string>(changes_.findings);
    }
    std::optional<Version> version = version_in(key);
    if (!version) return std::make_shared<const std::string>(script());
    return std::make_shared<const std::string>(
        events_of(changes_.since(*version), changes_.current()));
  }

  kv::Result<kv::Stat> own_stat(kv::Key key) const {
    kv::Result<Text> text = own_text(key);
    if (!text) return base::failure(text.error());
    kv::Form form{(*text)->size(), kv::digest_of(base::bytes_of(**text)), {}};
    if (version_in(key)) form.head = events_head_.head();
    kv::Stat stat;
    stat.set(kv::Encoding::identity, form);
    return stat;
  }

  static kv::Result<std::vector<kv::Entry>> own_list(kv::Key key) {
    kv::Result<kv::Kind> kind = own_kind(key);
    if (!kind) return base::failure(kind.error());
    if (*kind == kv::Kind::value) return base::failure(kv::Error::dictionary_expected);
    // Event streams and findings are values that no list names.
    return std::vector<kv::Entry>{{std::string(script_name), kv::Kind::value}};
  }

  // ---- pages ------------------------------------------------------------------------------------

  static bool has_base(std::string_view html) {
    for (std::size_t at = 0; (at = html.find('<', at)) != std::string_view::npos; ++at) {
      std::string_view word = html.substr(at + 1, 4);
      if (std::ranges::equal(word, std::string_view("base"), {},
                             [](char c) { return static_cast<char>(c | 0x20); })) {
        return true;
      }
    }
    return false;
  }

  // The same value, to be asked for each time.
  kv::Stat fresh(kv::Key key, kv::Stat stat) {
    kv::Form form = stat.form(kv::Encoding::identity);
    heads_.push_back(
        std::make_unique<kv::StoredHead>(http::make_head({.key = kv::without_slash(key),
                                                          .digest = form.digest,
                                                          .size_bytes = form.size_bytes,
                                                          .modified_s = stat.modified_s,
                                                          .caching = cached_shortly})));
    if (heads_.size() > heads_max) heads_.pop_front();
    form.head = heads_.back()->head();
    stat.set(kv::Encoding::identity, form);
    return stat;
  }

  static bool is_page(kv::Key key, const kv::Stat& below) {
    return http::media_type(key).starts_with("text/html") &&
           below.form(kv::Encoding::identity).size_bytes <= page_bytes_max;
  }

  // The stat of the page that is made of what the store below has now, and kept.
  base::Task<kv::Result<kv::Stat>> make_page(Reading& reading, kv::Key key, kv::Stat below,
                                             Version version) {
    const kv::Digest digest = below.form(kv::Encoding::identity).digest;
    const Page* kept = find(key);
    if (kept == nullptr || kept->below != digest || kept->version != version) {
      kv::Result<typename Store::Value> value = co_await kv::get_partial(
          store_, reading.below, key, kv::Encoding::identity, 0, page_bytes_max);
      if (!value) {
        forget(key);
        co_return base::failure(value.error());
      }
      std::string text(base::text_of(static_cast<kv::Bytes>(*value)));
      if (!can_append_to(text)) {
        forget(key);
        co_return below;
      }
      text += line_for(version, has_base(text));
      kv::Form form{text.size(), kv::digest_of(base::bytes_of(text)), {}};
      keep({std::string(kv::without_slash(key)), digest, version, form,
            std::make_shared<const std::string>(std::move(text))});
      kept = find(key);
    }
    reading.page = kept->text;
    kv::Stat stat;
    stat.modified_s = below.modified_s;
    stat.set(kv::Encoding::identity, kept->form);
    co_return stat;
  }

  // The text to serve for this key and encoding; null where the store below is to answer.
  base::Task<kv::Result<Text>> page_for(kv::Key key, kv::Encoding encoding) {
    kv::Result<Text> text = nullptr;
    if (is_own(key)) {
      text = own_text(key);
    } else {
      if (find(key) == nullptr && http::media_type(key).starts_with("text/html")) {
        kv::Result<kv::Stat> made = co_await stat(key);
        if (!made) co_return base::failure(made.error());
      }
      if (const Page* page = find(key)) text = page->text;
    }
    if (text && *text != nullptr && encoding != kv::Encoding::identity) {
      co_return base::failure(kv::Error::not_found);
    }
    co_return text;
  }

  [[nodiscard]] const Page* find(kv::Key key) const {
    key = kv::without_slash(key);
    auto at = std::ranges::find(pages_, key, [](const Page& page) { return kv::Key(page.key); });
    return at == pages_.end() ? nullptr : &*at;
  }

  void forget(kv::Key key) {
    const Page* page = find(key);
    if (page == nullptr) return;
    pages_bytes_ -= page->text->size();
    pages_.erase(pages_.begin() + (page - &pages_.front()));
  }

  // The newest comes to the end; the oldest go.
  void keep(Page page) {
    forget(page.key);
    pages_bytes_ += page.text->size();
    pages_.push_back(std::move(page));
    while (pages_.size() > pages_max || (pages_bytes_ > pages_bytes_max && pages_.size() > 1)) {
      pages_bytes_ -= pages_.front().text->size();
      pages_.erase(pages_.begin());
    }
  }

  static constexpr std::size_t pages_max = 256;

  const kv::StoredHead events_head_{events_head()};
  Store& store_;
  Changes& changes_;
  std::vector<Page> pages_;
  std::uint64_t pages_bytes_ = 0;
  std::deque<std::unique_ptr<kv::StoredHead>> heads_;
};

}  // namespace crunch::serve
