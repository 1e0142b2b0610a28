// SPDX-License-Identifier: ISC
#include "http/metrics/metrics.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "http/head.hpp"

namespace http {

namespace {

constexpr std::string_view ok_text = "ok\n";
constexpr std::array<std::string_view, 3> names{"metrics", "healthz", "readyz"};

constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view text_type = "text/plain; charset=utf-8";

// Of no two stats the same: what is asked for may have changed each time.
kv::Digest digest_of(std::uint64_t count) {
  kv::Digest digest;
  digest.fill('0');
  std::memcpy(digest.data(), &count, sizeof count);
  return digest;
}

}  // namespace

Metrics::Metrics(const metrics::Registry& registry) : registry_(registry) {
  set_size(Name::healthz, ok_text.size());
  set_size(Name::readyz, ok_text.size());
}

void Metrics::set_size(Name name, std::uint64_t size_bytes) {
  HeadOf head{.key = names[static_cast<std::size_t>(name)],
              .size_bytes = size_bytes,
              .type = name == Name::metrics ? metrics_type : text_type,
              .caching = "no-store"};
  kv::HeadFields fields = make_head(head);
  std::erase_if(fields.validators, [](const auto& field) { return field.first == etag_name; });
  page_of(name) = {size_bytes, std::make_unique<const kv::StoredHead>(fields)};
}

kv::Result<Metrics::Name> Metrics::find(kv::Key key) const noexcept {
  if (key.starts_with('/')) key.remove_prefix(1);
  if (key.empty()) return base::failure(kv::Error::value_expected);
  const auto* const name = std::ranges::find(names, key);
  if (name == names.end()) return base::failure(kv::Error::not_found);
  const auto found = static_cast<Name>(name - names.begin());
  if (found == Name::readyz && !is_ready_) return base::failure(kv::Error::unavailable);
  return found;
}

base::Ready<kv::Result<kv::Stat>> Metrics::stat(kv::Key key) {
  const auto name = find(key);
  if (!name) return {base::failure(name.error())};
  try {
    if (page_of(*name).head == nullptr) measure();
  } catch (const std::bad_alloc&) {
    return {base::failure(kv::Error::unavailable)};
  }
  const Page& page = page_of(*name);
  kv::Stat stat;
  stat.set(kv::Encoding::identity, {page.size_bytes, digest_of(++stat_count_), page.head->head()});
  return {stat};
}

void Metrics::measure() { set_size(Name::metrics, registry_.text_bytes_max()); }

void Metrics::write() {
  if (page_of(Name::metrics).head == nullptr) measure();
  std::string text;
  text.reserve(page_of(Name::metrics).size_bytes);
  registry_.write(text);
  text.resize(page_of(Name::metrics).size_bytes, '\n');
  text_ = std::make_shared<const std::string>(std::move(text));
}

base::Ready<kv::Result<Metrics::Value>> Metrics::get_partial(kv::Key key, kv::Encoding encoding,
                                                             std::uint64_t offset,
                                                             std::uint64_t length) {
  const auto name = find(key);
  if (!name) return {base::failure(name.error())};
  if (encoding != kv::Encoding::identity) return {base::failure(kv::Error::not_found)};
  kv::Bytes whole = base::bytes_of(ok_text);
  if (*name == Name::metrics) {
    try {
      if (offset == 0 || text_ == nullptr) write();
    } catch (const std::bad_alloc&) {
      return {base::failure(kv::Error::unavailable)};
    }
    whole = base::bytes_of(std::string_view(*text_));
  }
  const std::uint64_t begin = std::min<std::uint64_t>(offset, whole.size());
  const std::uint64_t size = std::min<std::uint64_t>(length, whole.size() - begin);
  return {Value(*name == Name::metrics ? text_ : nullptr,
                whole.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size)))};
}

}  // namespace http
