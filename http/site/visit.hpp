// SPDX-License-Identifier: ISC
// http/site/visit.hpp: one request to a site with a plan: its route, the fields of its address, and
// the buffers of both.
//
// States:  Visit, VisitPool, SiteHead.
// Owns:    a Visit 31 KiB of buffers. A request has one from when it begins until its head is
//          written; with a store that never waits there is one at once, however many connections
//          there are.
// Used by: http/exchange, http/h1.   May include: kv/kv.hpp, http's pure parts.

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
  // for no file. `https_port`: where all is answered that is not secure; 0: here.
  void begin(std::shared_ptr<const Rules> rules, const Request& request, const Target& target,
             bool secure, std::uint16_t https_port) noexcept;
  void end() noexcept { rules_.reset(); }

  [[nodiscard]] Route& route() noexcept { return route_; }
  [[nodiscard]] const Route& route() const noexcept { return route_; }

  // Appends the fields of the site for the address asked, as lines; says which of ours they
  // replace.
  [[nodiscard]] OwnFields write_lines(Writer& out) const noexcept;

 private:
  std::shared_ptr<const Rules> rules_;
  Route route_;
  std::string_view host_;
  bool secure_ = false;
  std::array<char, 9216> address_;
  std::array<char, 8192 + 256> key_;
  std::array<char, std::size_t{12} * 1024> location_;  // or the path and the key of a rewrite
};

// The visits of one server, of which the first is allocated before the server serves.
class VisitPool {
 public:
  // More at once, which takes a store that waits, are refused.
  explicit VisitPool(std::size_t visits_max) noexcept : visits_max_(visits_max) {}

  // Throws std::bad_alloc.
  void reserve() {
    if (free_ == nullptr) free_ = std::make_unique<Visit>();
  }
  // Null: there is no room.
  [[nodiscard]] std::unique_ptr<Visit> take() noexcept;
  // `visit` may be null.
  void give(std::unique_ptr<Visit> visit) noexcept;

 private:
  const std::size_t visits_max_;
  std::size_t count_ = 0;  // taken
  std::unique_ptr<Visit> free_;
};

// A head with the site's fields in it: those of ours that they replace are left out.
class SiteHead final : public HeadSink {
 public:
  SiteHead(HeadSink& below, const Visit& visit) noexcept;
  // False: the site's fields are longer than an answer may have; use another head.
  [[nodiscard]] bool fits() const noexcept { return !lines_.overflowed(); }

  void begin(Status status) override;
  void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) override;
  void field(std::string_view name, std::string_view value) override;
  Writer& begin_value(std::string_view name) override;
  void end_value() override;
  // The site's own; comes last, once.
  void finish();

 private:
  static constexpr std::size_t line_bytes = 64;  // of the one that we add

  HeadSink& below_;
  bool is_left_out_ = false;
  std::array<char, address_fields_bytes_max + line_bytes> buffer_;
  Writer lines_{buffer_};
  OwnFields own_;  // of what lines_ has
  std::array<char, 64> scrap_;
  Writer left_out_{scrap_};
};

}  // namespace http::site
