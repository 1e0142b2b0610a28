// SPDX-License-Identifier: ISC
// The part of http/site/compile.hpp that lays drafts out as http/site/plan.hpp says.
#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <span>

#include "http/site/compile.hpp"
#include "http/site/fields.hpp"

namespace http::site {
namespace {

class Assembler {
 public:
  void add(const SiteDraft& draft) {
    SiteRecord site;
    site.root = slice(draft.root);
    site.spa_page = slice(draft.spa_page);
    site.dialect_why = slice(draft.dialect_why);
    site.dialect = draft.dialect;
    site.clean_urls = draft.clean_urls;
    site.not_found = draft.not_found;
    site.rules = {size_of(rules_), size_of(draft.rules)};
    std::vector<std::uint32_t> dynamic, slots;
    std::size_t static_count = 0;
    for (const RuleDraft& rule : draft.rules) {
      if (rule.is_static) {
        ++static_count;
      } else {
        dynamic.push_back(static_cast<std::uint32_t>(&rule - draft.rules.data()));
      }
    }
    if (static_count > 0) slots.resize(std::bit_ceil(2 * static_count + 1));
    for (const RuleDraft& rule : draft.rules) {
      rules_.push_back(record(rule));
      if (!rule.is_static) continue;
      std::size_t slot = hash_of(rule.source) & (slots.size() - 1);
      while (slots[slot] != 0) slot = (slot + 1) & (slots.size() - 1);
      slots[slot] = static_cast<std::uint32_t>(&rule - draft.rules.data()) + 1;
    }
    site.dynamic = append(numbers_, dynamic);
    site.slots = append(numbers_, slots);
    site.blocks = {size_of(blocks_), size_of(draft.blocks)};
    std::size_t fields_bytes = 0;
    for (const BlockDraft& block : draft.blocks) {
      blocks_.push_back({pattern(block.pattern), fields(block, fields_bytes), block.line,
                         block.with_host ? 1U : 0U});
    }
    fields_bytes_max_ = std::max(fields_bytes_max_, fields_bytes);
    sites_.push_back(site);
  }

  void add(const HostDraft& host) {
    hosts_.push_back({slice(host.name), host.site, host.canonical});
  }

  void add(const LockDraft& lock) {
    LockRecord record;
    record.pattern = pattern(lock.pattern);
    record.users = {size_of(users_), size_of(lock.users)};
    for (const User& user : lock.users) {
      users_.push_back({slice(user.name), slice(user.salt), slice(user.digest)});
    }
    record.site = lock.site;
    record.kind = lock.kind;
    locks_.push_back(record);
  }

  std::vector<std::byte> finish(const PlanSettings& settings) {
    const Slice base = slice(settings.base);
    Header header{plan_magic,
                  size_of(sites_),
                  size_of(hosts_),
                  size_of(rules_),
                  size_of(numbers_),
                  size_of(parts_),
                  size_of(pieces_),
                  size_of(conditions_),
                  size_of(blocks_),
                  size_of(fields_),
                  size_of(users_),
                  size_of(locks_),
                  size_of(text_),
                  settings.flags,
                  static_cast<std::uint32_t>(std::min(fields_bytes_max_, address_fields_bytes_max)),
                  base};
    std::vector<std::byte> out;
    put(out, std::span<const Header>(&header, 1));
    put(out, std::span<const SiteRecord>(sites_));
    put(out, std::span<const HostRecord>(hosts_));
    put(out, std::span<const RuleRecord>(rules_));
    put(out, std::span<const std::uint32_t>(numbers_));
    put(out, std::span<const PartRecord>(parts_));
    put(out, std::span<const PieceRecord>(pieces_));
    put(out, std::span<const ConditionRecord>(conditions_));
    put(out, std::span<const BlockRecord>(blocks_));
    put(out, std::span<const FieldRecord>(fields_));
    put(out, std::span<const UserRecord>(users_));
    put(out, std::span<const LockRecord>(locks_));
    put(out, std::span<const char>(text_));
    return out;
  }

 private:
  template <class T>
  static std::uint32_t size_of(const T& all) {
    return static_cast<std::uint32_t>(all.size());
  }
  template <class T>
  static void put(std::vector<std::byte>& out, std::span<const T> items) {
    if (items.empty()) return;
    const std::size_t at = out.size();
    out.resize(at + items.size_bytes());
    std::memcpy(out.data() + at, items.data(), items.size_bytes());
  }
  template <class T>
  static Range append(std::vector<T>& all, const std::vector<T>& more) {
    const Range range{size_of(all), size_of(more)};
    all.insert(all.end(), more.begin(), more.end());
    return range;
  }

  // Equal texts are there once.
  Slice slice(const std::string& text) {
    const auto [at, is_new] = slices_.try_emplace(text, Slice{size_of(text_), size_of(text)});
    if (is_new) text_ += text;
    return at->second;
  }

  Range pattern(const std::vector<Part>& drafts) {
    const Range range{size_of(parts_), size_of(drafts)};
    for (const Part& part : drafts)
      parts_.push_back({slice(part.text), part.kind, part.capture, 0});
    return range;
  }
  Range pieces(const std::vector<Piece>& drafts) {
    const Range range{size_of(pieces_), size_of(drafts)};
    for (const Piece& piece : drafts) pieces_.push_back({slice(piece.text), piece.capture});
    return range;
  }

  RuleRecord record(const RuleDraft& draft) {
    RuleRecord rule;
    if (draft.is_static) {
      rule.literal = slice(draft.source);
    } else {
      rule.pattern = pattern(draft.pattern);
    }
    rule.conditions = {size_of(conditions_), size_of(draft.conditions)};
    for (const Condition& one : draft.conditions) {
      conditions_.push_back({slice(one.name), slice(one.value), one.kind, one.capture, 0});
    }
    rule.target = pieces(draft.target);
    rule.fragment = pieces(draft.fragment);
    rule.line = draft.line;
    rule.status = draft.status;
    rule.forced = draft.forced ? 1 : 0;
    rule.elsewhere = draft.elsewhere ? 1 : 0;
    rule.has_query = draft.has_query ? 1 : 0;
    rule.keeps_slashes = draft.keeps_slashes ? 1 : 0;
    return rule;
  }

  Range fields(const BlockDraft& block, std::size_t& bytes) {
    const Range range{size_of(fields_), size_of(block.fields)};
    for (const FieldDraft& draft : block.fields) {
      std::string small = draft.name;
      for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      FieldRecord field;
      field.name = slice(draft.name);
      field.value = pieces(draft.value);
      field.name_id = names_.try_emplace(small, size_of(names_)).first->second;
      field.action = draft.action;
      field.own = draft.own;
      field.by_line = small == "set-cookie" ? 1 : 0;
      bytes += draft.name.size() + 4;
      for (const Piece& piece : draft.value) bytes += piece.text.size();
      fields_.push_back(field);
    }
    return range;
  }

  std::vector<SiteRecord> sites_;
  std::vector<HostRecord> hosts_;
  std::vector<RuleRecord> rules_;
  std::vector<std::uint32_t> numbers_;
  std::vector<PartRecord> parts_;
  std::vector<PieceRecord> pieces_;
  std::vector<ConditionRecord> conditions_;
  std::vector<BlockRecord> blocks_;
  std::vector<FieldRecord> fields_;
  std::vector<UserRecord> users_;
  std::vector<LockRecord> locks_;
  std::string text_;
  std::map<std::string, Slice> slices_;
  std::map<std::string, std::uint32_t> names_;
  std::size_t fields_bytes_max_ = 0;
};

}  // namespace

std::vector<std::byte> assemble(const std::vector<SiteDraft>& sites,
                                const std::vector<HostDraft>& hosts, const PlanSettings& settings) {
  Assembler assembler;
  for (const SiteDraft& site : sites) assembler.add(site);
  for (const HostDraft& host : hosts) assembler.add(host);
  for (const LockDraft& lock : settings.locks) assembler.add(lock);
  return assembler.finish(settings);
}

}  // namespace http::site
