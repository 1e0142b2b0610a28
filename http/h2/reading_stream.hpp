// SPDX-License-Identifier: ISC
// http/h2/reading_stream.hpp: a stream with its part of the store: what one request gets is of one
// version of the content, whatever the others of its connection get.
//
// States:      ReadingStream.   Used by: http/server.hpp.   May include: kv/reading.hpp, http/h2.

#pragma once

#include <optional>

#include "http/h2/stream.hpp"
#include "kv/reading.hpp"

namespace http::h2 {

template <kv::Source Store>
class ReadingStream final : public Stream {
 public:
  using Stream::Stream;

  // It begins when the store is asked first: the head is complete.
  [[nodiscard]] kv::Reading<Store>& reading(Store& store) {
    if (!reading_) reading_.emplace(kv::begin_reading(store));
    return *reading_;
  }

 private:
  std::optional<kv::Reading<Store>> reading_;
};

}  // namespace http::h2
