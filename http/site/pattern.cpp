// SPDX-License-Identifier: ISC
#include "http/site/pattern.hpp"

#include <algorithm>
#include <cstdint>

namespace http::site {
namespace {

using std::string_view;

// Places in a text, from before its first byte to behind its last; only as many words are touched
// as the text needs.
class Row {
 public:
  void clear(std::size_t words) { std::fill_n(words_.begin(), words, 0); }
  void copy(const Row& other, std::size_t words) {
    std::copy_n(other.words_.begin(), words, words_.begin());
  }
  void set(std::size_t place) { words_[place / 64] |= std::uint64_t{1} << (place % 64); }
  [[nodiscard]] bool operator[](std::size_t place) const {
    return ((words_[place / 64] >> (place % 64)) & 1U) != 0;
  }

 private:
  std::array<std::uint64_t, (matched_bytes_max + 64) / 64> words_;
};

constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool begins_with(string_view text, string_view literal, bool fold) {
  if (!fold) return text.starts_with(literal);
  return text.size() >= literal.size() &&
         std::ranges::equal(text.substr(0, literal.size()), literal, {}, small, small);
}

bool is_taken(PartKind kind, char c) {
  switch (kind) {
    case PartKind::segment:
      return c != '/';
    case PartKind::host_segment:
      return c != '/' && c != '.';
    case PartKind::literal:
    case PartKind::splat:
    case PartKind::tail:
    case PartKind::end_slash:
      break;
  }
  return true;
}

bool may_be_empty(PartKind kind) { return kind == PartKind::splat || kind == PartKind::tail; }

// One match under way.
class Matcher {
 public:
  Matcher(const Plan& plan, std::span<const PartRecord> parts, string_view text, bool fold)
      : plan_(plan), parts_(parts), text_(text), fold_(fold), words_(text.size() / 64 + 1) {}

  [[nodiscard]] bool run(Captures& captures) {
    return text_.size() <= matched_bytes_max ? run_rows(captures) : run_one(captures);
  }

 private:
  static bool is_capturing(const PartRecord& part) {
    return part.kind != PartKind::literal && part.kind != PartKind::end_slash;
  }

  // A long text: LITERAL CAPTURE [LITERAL], which needs no rows.
  [[nodiscard]] bool run_one(Captures& captures) const {
    if (parts_.size() < 2 || parts_.size() > 3 || parts_[0].kind != PartKind::literal) return false;
    string_view rest = text_.substr(parts_[0].text.size);
    if (parts_.size() == 3) {
      const string_view end = plan_.text(parts_[2].text);
      if (parts_[2].kind != PartKind::literal || rest.size() < end.size() ||
          !begins_with(rest.substr(rest.size() - end.size()), end, fold_)) {
        return false;
      }
      rest.remove_suffix(end.size());
    }
    const PartRecord& part = parts_[1];
    if (part.kind == PartKind::tail && !rest.empty()) {
      if (!rest.starts_with('/')) return false;
      rest.remove_prefix(1);
    }
    if (!is_capturing(part) || (rest.empty() && !may_be_empty(part.kind))) return false;
    if (!std::ranges::all_of(rest, [&](char c) { return is_taken(part.kind, c); })) return false;
    if (part.capture != no_capture) captures.at[part.capture] = rest;
    return true;
  }

  // From the end: where can the parts from here on begin?
  [[nodiscard]] bool note_rows() {
    Row row, before;
    row.clear(words_);
    row.set(text_.size());
    for (std::size_t i = parts_.size(); i-- > 0;) {
      const PartRecord& part = parts_[i];
      before.clear(words_);
      const std::size_t size = text_.size();
      switch (part.kind) {
        case PartKind::literal: {
          const string_view literal = plan_.text(part.text);
          for (std::size_t p = 0; p + literal.size() <= size; ++p) {
            if (row[p + literal.size()] && begins_with(text_.substr(p), literal, fold_)) {
              before.set(p);
            }
          }
          break;
        }
        case PartKind::end_slash:
          before.copy(row, words_);
          if (size > 0 && text_.back() == '/' && row[size]) before.set(size - 1);
          break;
        case PartKind::segment:
        case PartKind::host_segment:
        case PartKind::splat:
        case PartKind::tail:
          if (row_count_ == rows_.size()) return false;
          rows_[row_count_++].copy(row, words_);
          note_capture(part.kind, row, before);
          break;
      }
      row.copy(before, words_);
    }
    return row[0];
  }

  void note_capture(PartKind kind, const Row& row, Row& before) const {
    if (may_be_empty(kind)) before.copy(row, words_);
    bool reached = row[text_.size()];  // from behind position p, the rest can be got at
    for (std::size_t p = text_.size(); p-- > 0;) {
      if (kind == PartKind::tail) {
        if (text_[p] == '/' && reached) before.set(p);
        reached = reached || row[p];
        continue;
      }
      if (!is_taken(kind, text_[p])) {
        reached = row[p];
        continue;
      }
      if (reached) before.set(p);
      reached = reached || row[p];
    }
  }

  [[nodiscard]] bool run_rows(Captures& captures) {
    if (!note_rows()) return false;
    std::size_t at = 0;
    for (const PartRecord& part : parts_) {
      if (part.kind == PartKind::literal) {
        at += part.text.size;
      } else if (part.kind == PartKind::end_slash) {
        at = text_.size();
      } else {
        at = take(part, rows_[--row_count_], at, captures);
      }
    }
    return true;
  }

  // The furthest end from which the rest fits.
  std::size_t take(const PartRecord& part, const Row& rest, std::size_t at, Captures& captures) {
    std::size_t begin = at;
    if (part.kind == PartKind::tail) {
      if (at == text_.size() || text_[at] != '/') return at;
      begin = at + 1;
    }
    std::size_t end = begin;
    while (end < text_.size() && is_taken(part.kind, text_[end])) ++end;
    const std::size_t least = may_be_empty(part.kind) ? begin : begin + 1;
    while (end > least && !rest[end]) --end;
    if (part.kind == PartKind::tail && !rest[end]) return at;
    if (part.capture != no_capture) captures.at[part.capture] = text_.substr(begin, end - begin);
    return end;
  }

  const Plan& plan_;
  std::span<const PartRecord> parts_;
  const string_view text_;
  const bool fold_;
  const std::size_t words_;  // that a row of this text has
  std::array<Row, captures_max> rows_;
  std::size_t row_count_ = 0;
};

}  // namespace

bool matches(const Plan& plan, Range pattern, string_view text, bool fold,
             Captures& captures) noexcept {
  captures = {};
  const std::span<const PartRecord> parts = plan.parts(pattern);
  // What begins otherwise is told before there are rows to clear: nearly always.
  if (!parts.empty() && parts[0].kind == PartKind::literal) {
    if (!begins_with(text, plan.text(parts[0].text), fold)) return false;
    if (parts.size() == 1) return text.size() == parts[0].text.size;
  }
  Matcher matcher(plan, parts, text, fold);
  return matcher.run(captures);
}

void fill(const Plan& plan, Range pieces, const Captures& captures, Writer& out) noexcept {
  for (const PieceRecord& piece : plan.pieces(pieces)) {
    out.text(piece.capture == no_capture ? plan.text(piece.text) : captures.at[piece.capture]);
  }
}

}  // namespace http::site
