// SPDX-License-Identifier: ISC
// http/metrics/metrics.hpp: what the management port serves, as a store.
//
// Models:  kv::Source.   Values: `metrics`, the numbers of a Registry for Prometheus; `healthz`, as
//          long as the appliance runs; `readyz`, as long as it wants new requests: otherwise it is
//          unavailable, which an http::Server answers with 503.
// Method:  `metrics` is written when it is read, and filled up with empty lines to a size that does
//          not depend on the numbers: so the bytes of a get are of one moment and as many as stat
//          said, whoever else reads meanwhile. A get from another offset goes on with the bytes of
//          the last one from 0.
// Caching: nothing here may be stored, and nothing has an entity tag.

#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/task.hpp"
#include "http/metrics/registry.hpp"
#include "kv/field_pool.hpp"
#include "kv/kv.hpp"

namespace http {

class Metrics {
 public:
  class Value {
   public:
    Value() = default;
    operator kv::Bytes() const noexcept { return part_; }

   private:
    friend class Metrics;
    Value(std::shared_ptr<const std::string> whole, kv::Bytes part)
        : whole_(std::move(whole)), part_(part) {}
    std::shared_ptr<const std::string> whole_;
    kv::Bytes part_;
  };
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = std::numeric_limits<std::uint64_t>::max();

  // `registry` outlives it and has all its samples before the first stat. Throws std::bad_alloc.
  explicit Metrics(const metrics::Registry& registry);

  // From now on the appliance is not ready.
  void announce_drain() noexcept { is_ready_ = false; }

  [[nodiscard]] base::Ready<kv::Result<kv::Stat>> stat(kv::Key key);
  [[nodiscard]] base::Ready<kv::Result<Value>> get_partial(kv::Key key, kv::Encoding encoding,
                                                           std::uint64_t offset,
                                                           std::uint64_t length);

 private:
  struct Page {
    std::uint64_t size_bytes = 0;
    std::unique_ptr<const kv::StoredHead> head;
  };
  enum class Name : std::uint8_t { metrics, healthz, readyz };
  [[nodiscard]] kv::Result<Name> find(kv::Key key) const noexcept;
  [[nodiscard]] Page& page_of(Name name) noexcept { return pages_[static_cast<std::size_t>(name)]; }
  void set_size(Name name, std::uint64_t size_bytes);
  void measure();
  void write();

  const metrics::Registry& registry_;
  std::array<Page, 3> pages_;
  std::shared_ptr<const std::string> text_;  // of `metrics`, as it was read last
  std::uint64_t stat_count_ = 0;
  bool is_ready_ = true;
};

static_assert(kv::Source<Metrics>);

}  // namespace http
