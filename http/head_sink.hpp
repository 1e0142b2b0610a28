// SPDX-License-Identifier: ISC
// http/head_sink.hpp: where the head of an answer goes. A framing of HTTP implements it: one writes
// lines, another encodes names and values.
//
// Used by:     http/respond.   May include: kv/fields.hpp, http/{status,writer}.

#pragma once

#include <span>
#include <string_view>

#include "http/status.hpp"
#include "http/writer.hpp"
#include "kv/fields.hpp"

namespace http {

class HeadSink {
 public:
  // Comes first, once. Date and what is about the connection are the framing's.
  virtual void begin(Status status) = 0;
  // Fields that live as long as the store: sets of `head`, in this order.
  virtual void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) = 0;
  // A field whose texts stand only during the call.
  virtual void field(std::string_view name, std::string_view value) = 0;
  // The same, with a value that the caller puts together in the Writer before it calls end_value.
  virtual Writer& begin_value(std::string_view name) = 0;
  virtual void end_value() = 0;

 protected:
  ~HeadSink() = default;
};

}  // namespace http
