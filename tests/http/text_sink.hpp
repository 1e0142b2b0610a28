// SPDX-License-Identifier: ISC
// tests/http/text_sink.hpp: takes the head of an answer as text, for tests that have no framing.

#pragma once

#include <string>

#include "http/head_sink.hpp"

namespace http_test {

class TextSink final : public http::HeadSink {
 public:
  int status = 0;
  std::string text;  // the fields, as lines

  void begin(http::Status its_status) override { status = http::code_of(its_status); }
  void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) override {
    for (kv::Head::Offset set : sets) {
      head.at(set).for_each(
          [this](std::string_view name, std::string_view value) { field(name, value); });
    }
  }
  void field(std::string_view name, std::string_view value) override {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  http::Writer& begin_value(std::string_view name) override {
    text.append(name).append(": ");
    value_.rewind(0);
    return value_;
  }
  void end_value() override { text.append(value_.written()).append("\r\n"); }

 private:
  char buffer_[16 * 1024];
  http::Writer value_{buffer_};
};

}  // namespace http_test
