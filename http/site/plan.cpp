// SPDX-License-Identifier: ISC
#include "http/site/plan.hpp"

#include <algorithm>
#include <bit>

namespace http::site {
namespace {

// Takes the arrays off the value, one after another.
class Cutter {
 public:
  explicit Cutter(base::Bytes bytes) : bytes_(bytes) {}
  template <class T>
  std::span<const T> take(std::uint32_t count) {
    const std::uint64_t size = std::uint64_t{count} * sizeof(T);
    if (failed_ || size > bytes_.size()) {
      failed_ = true;
      return {};
    }
    const auto* first = reinterpret_cast<const T*>(bytes_.data());
    bytes_ = bytes_.subspan(static_cast<std::size_t>(size));
    return {first, count};
  }
  [[nodiscard]] bool is_used_up() const { return !failed_ && bytes_.empty(); }

 private:
  base::Bytes bytes_;
  bool failed_ = false;
};

template <class T>
bool fits(Range range, std::span<const T> all) {
  return range.first <= all.size() && range.count <= all.size() - range.first;
}
bool fits(Slice slice, std::string_view text) {
  return slice.offset <= text.size() && slice.size <= text.size() - slice.offset;
}
bool is_capture(std::uint32_t capture) { return capture == no_capture || capture < captures_max; }

}  // namespace

std::optional<Plan> Plan::open(base::Bytes bytes) noexcept {
  static_assert(std::endian::native == std::endian::little);
  if (bytes.size() < sizeof(Header) || reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) {
    return std::nullopt;
  }
  Plan plan;
  Cutter cutter(bytes);
  plan.header_ = cutter.take<Header>(1).data();
  const Header& header = *plan.header_;
  if (header.magic != plan_magic) return std::nullopt;
  plan.sites_ = cutter.take<SiteRecord>(header.site_count);
  plan.hosts_ = cutter.take<HostRecord>(header.host_count);
  plan.rules_ = cutter.take<RuleRecord>(header.rule_count);
  plan.numbers_ = cutter.take<std::uint32_t>(header.number_count);
  plan.parts_ = cutter.take<PartRecord>(header.part_count);
  plan.pieces_ = cutter.take<PieceRecord>(header.piece_count);
  plan.conditions_ = cutter.take<ConditionRecord>(header.condition_count);
  plan.blocks_ = cutter.take<BlockRecord>(header.block_count);
  plan.fields_ = cutter.take<FieldRecord>(header.field_count);
  plan.users_ = cutter.take<UserRecord>(header.user_count);
  plan.locks_ = cutter.take<LockRecord>(header.lock_count);
  const auto text = cutter.take<char>(header.text_bytes);
  plan.text_ = {text.data(), text.size()};
  if (!cutter.is_used_up() || !plan.is_sound()) return std::nullopt;
  return plan;
}

bool Plan::is_sound() const noexcept {
  auto slice = [this](Slice one) { return fits(one, text_); };
  auto host = [&](const HostRecord& one) {
    return slice(one.name) && one.site < sites_.size() && one.canonical < hosts_.size();
  };
  auto part = [&](const PartRecord& one) {
    return slice(one.text) && one.kind <= PartKind::end_slash && is_capture(one.capture);
  };
  auto piece = [&](const PieceRecord& one) { return slice(one.text) && is_capture(one.capture); };
  auto condition = [&](const ConditionRecord& one) {
    return slice(one.name) && slice(one.value) && one.kind <= ConditionKind::host &&
           is_capture(one.capture);
  };
  auto block = [this](const BlockRecord& one) {
    return fits(one.pattern, parts_) && fits(one.fields, fields_);
  };
  auto field = [&](const FieldRecord& one) {
    return slice(one.name) && fits(one.value, pieces_) && one.action <= FieldAction::detach &&
           one.own <= OwnField::vary;
  };
  auto user = [&](const UserRecord& one) {
    return slice(one.name) && slice(one.salt) && slice(one.digest) &&
           one.digest.size == digest_bytes;
  };
  auto lock = [this](const LockRecord& one) {
    return fits(one.pattern, parts_) && fits(one.users, users_) &&
           (one.site == all_sites || one.site < sites_.size()) && one.kind <= LockKind::exception;
  };
  return std::ranges::all_of(users_, user) && std::ranges::all_of(locks_, lock) &&
         !sites_.empty() && slice(header_->base) && std::ranges::all_of(hosts_, host) &&
         std::ranges::all_of(parts_, part) && std::ranges::all_of(pieces_, piece) &&
         std::ranges::all_of(conditions_, condition) && std::ranges::all_of(blocks_, block) &&
         std::ranges::all_of(fields_, field) &&
         std::ranges::all_of(rules_, [this](const RuleRecord& one) { return is_sound(one); }) &&
         std::ranges::all_of(sites_, [this](const SiteRecord& one) { return is_sound(one); });
}

bool Plan::is_sound(const RuleRecord& rule) const noexcept {
  return fits(rule.literal, text_) && fits(rule.pattern, parts_) &&
         fits(rule.conditions, conditions_) && fits(rule.target, pieces_) &&
         fits(rule.fragment, pieces_) && rule.status >= 200 && rule.status < 500;
}

bool Plan::is_sound(const SiteRecord& site) const noexcept {
  if (!fits(site.root, text_) || !fits(site.spa_page, text_) || !fits(site.dialect_why, text_) ||
      !fits(site.rules, rules_) || !fits(site.dynamic, numbers_) || !fits(site.slots, numbers_) ||
      !fits(site.blocks, blocks_) || site.dialect > Dialect::netlify ||
      site.clean_urls > CleanUrls::netlify || site.not_found > NotFound::none) {
    return false;
  }
  // A table without an empty slot would be searched for ever.
  const auto slots = numbers(site.slots);
  const bool is_table = slots.empty() || (std::has_single_bit(slots.size()) &&
                                          std::ranges::find(slots, 0U) != slots.end());
  const auto count = site.rules.count;
  return is_table &&
         std::ranges::all_of(slots, [count](std::uint32_t slot) { return slot <= count; }) &&
         std::ranges::all_of(numbers(site.dynamic),
                             [count](std::uint32_t number) { return number < count; });
}

}  // namespace http::site
