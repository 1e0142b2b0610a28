// SPDX-License-Identifier: ISC
#include "http/site/fields.hpp"

#include <algorithm>
#include <array>

#include "http/site/pattern.hpp"
#include "http/site/route.hpp"

namespace http::site {
namespace {

using std::string_view;

// A value that stands so far, rendered into a buffer of its own.
struct Item {
  const FieldRecord* field = nullptr;
  const BlockRecord* block = nullptr;
  bool is_alive = true;
};

constexpr std::array<string_view, 8> own_names{"",
                                               "cache-control",
                                               "content-type",
                                               "x-content-type-options",
                                               "etag",
                                               "last-modified",
                                               "strict-transport-security",
                                               ""};

constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

class Merger {
 public:
  Merger(const Plan& plan, const SiteRecord& site, string_view address, string_view host) noexcept
      : plan_(plan), site_(site), address_(address), host_(host_name(host)) {}

  void merge(OwnFields& own) noexcept {
    for (const BlockRecord& block : plan_.blocks(site_.blocks)) {
      Captures captures;
      if (!fits(block, captures)) continue;
      // What a block takes away goes before what it sets.
      for (const FieldRecord& field : plan_.fields(block.fields)) {
        if (field.action != FieldAction::detach) continue;
        drop(field.name_id, nullptr);
        own.add(field.own);
      }
      for (const FieldRecord& field : plan_.fields(block.fields)) {
        if (field.action != FieldAction::set || count_ == items_.size()) continue;
        if (site_.dialect == Dialect::netlify) drop(field.name_id, &block);
        if (field.own != OwnField::vary) own.add(field.own);
        items_[count_++] = {&field, &block, true};
      }
    }
  }

  void write(bool secure, Writer& out) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      const Item& item = items_[i];
      if (!item.is_alive || (item.field->own == OwnField::hsts && !secure)) continue;
      out.text(plan_.text(item.field->name));
      out.text(": ");
      write_value(item, out);
      for (std::size_t j = i + 1; j < count_ && item.field->by_line == 0; ++j) {
        if (!items_[j].is_alive || items_[j].field->name_id != item.field->name_id) continue;
        out.text(", ");
        write_value(items_[j], out);
        items_[j].is_alive = false;
      }
      out.text("\r\n");
    }
  }

 private:
  bool fits(const BlockRecord& block, Captures& captures) noexcept {
    const bool fold = site_.dialect == Dialect::netlify;
    if (block.with_host == 0) return matches(plan_, block.pattern, address_, fold, captures);
    if (host_.size() + address_.size() > whole_.size()) return false;
    std::ranges::transform(host_, whole_.begin(), small);
    std::ranges::copy(address_, whole_.data() + host_.size());
    return matches(plan_, block.pattern, {whole_.data(), host_.size() + address_.size()}, fold,
                   captures);
  }

  // Of the values so far those of this name go; those of `but` stay.
  void drop(std::uint32_t name_id, const BlockRecord* but) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      if (items_[i].field->name_id == name_id && items_[i].block != but) items_[i].is_alive = false;
    }
  }

  // Captures are found anew: they are few, and keeping them for all would not be.
  void write_value(const Item& item, Writer& out) noexcept {
    const auto pieces = plan_.pieces(item.field->value);
    Captures captures;
    if (std::ranges::any_of(pieces, [](const PieceRecord& p) { return p.capture != no_capture; })) {
      static_cast<void>(fits(*item.block, captures));
    }
    fill(plan_, item.field->value, captures, out);
  }

  const Plan& plan_;
  const SiteRecord& site_;
  const string_view address_, host_;
  std::array<Item, field_items_max> items_;
  std::size_t count_ = 0;
  std::array<char, 1024> whole_;
};

}  // namespace

bool OwnFields::replaces(string_view line) const noexcept {
  const string_view name = line.substr(0, line.find(':'));
  for (std::size_t i = 1; i < own_names.size(); ++i) {
    if (has(static_cast<OwnField>(i)) && name.size() == own_names[i].size() &&
        std::ranges::equal(name, own_names[i], {}, small)) {
      return true;
    }
  }
  return false;
}

OwnFields write_fields(const Plan& plan, const SiteRecord& site, string_view address,
                       string_view host, bool secure, Writer& out) noexcept {
  OwnFields own;
  if (site.blocks.count == 0) return own;
  Merger merger(plan, site, address, host);
  merger.merge(own);
  merger.write(secure, out);
  return own;
}

}  // namespace http::site
