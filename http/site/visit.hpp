// SPDX-License-Identifier: ISC
// http/site/visit.hpp: one request to a site with a plan: its route, the fields of its address, and
// the buffers of both.
//
// Owns:    32 KiB of buffers, which only connections with a request to such a site have.
// Used by: http/exchange.   May include: kv/kv.hpp, http's pure parts.

#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "http/head_sink.hpp"
#include "http/request.hpp"
#include "http/site/fields.hpp"
#include "http/site/route.hpp"
#include "http/site/rules.hpp"
#include "http/target.hpp"

namespace http::site {

class Visit {
 public:
  // `target` is well-formed and of this request; its key stands until the visit ends. OPTIONS asks
  // for no file.
  void begin(std::shared_ptr<const Rules> rules, const Request& request, const Target& target,
             bool secure) noexcept;
  void end() noexcept { rules_.reset(); }

  [[nodiscard]] Route& route() noexcept { return route_; }
  [[nodiscard]] const Route& route() const noexcept { return route_; }

  // The fields of the site for the address asked: the lines, and which of ours they replace.
  [[nodiscard]] std::string_view write_lines(OwnFields& own) noexcept;

 private:
  std::shared_ptr<const Rules> rules_;
  Route route_;
  std::string_view host_;
  bool secure_ = false;
  std::array<char, 9216> address_;
  std::array<char, 8192 + 256> key_;
  std::array<char, 12 * 1024> location_;  // or the path and the key of a rewrite
  std::array<char, 10 * 1024> lines_;
};

// A head with the site's fields in it: those of ours that they replace are left out.
class SiteHead final : public HeadSink {
 public:
  SiteHead(HeadSink& below, Visit& visit) noexcept : below_(below), visit_(visit) {}
  void begin(Status status) override;
  void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) override;
  void field(std::string_view name, std::string_view value) override;
  Writer& begin_value(std::string_view name) override;
  void end_value() override;
  // The site's own; comes last, once.
  void finish();

 private:
  HeadSink& below_;
  Visit& visit_;
  OwnFields own_;
  std::string_view lines_;
  bool is_left_out_ = false;
  std::array<char, 64> scrap_;
  Writer left_out_{scrap_};
};

}  // namespace http::site
