// SPDX-License-Identifier: ISC
#include "targets/unix/line_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace unix_target {

namespace {

std::uint64_t lines_in(std::string_view text) {
  const auto ends = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  return !text.empty() && text.back() != '\n' ? ends + 1 : ends;
}

}  // namespace

LineQueue::LineQueue()
    : bytes_(std::make_unique_for_overwrite<char[]>(bytes_max + notice_bytes_max)) {}

void LineQueue::append(std::string_view text) noexcept {
  if (is_empty()) begin_ = end_ = 0;
  if (end_ + text.size() > bytes_max + notice_bytes_max) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  std::memcpy(bytes_.get() + end_, text.data(), text.size());
  end_ += text.size();
}

LineQueue::Taken LineQueue::put(std::string_view text) noexcept {
  const bool is_full = text.size() > bytes_max - std::min(size(), bytes_max);
  const bool waits_for_room = dropping_ && size() > bytes_max / 2;
  if (!is_full && !waits_for_room) {
    append(text);
    return Taken::whole;
  }
  lost_count_ += lines_in(text);
  return std::exchange(dropping_, true) ? Taken::lost : Taken::began;
}

void LineQueue::put_notice(std::string_view line) noexcept {
  if (size() + line.size() <= bytes_max + notice_bytes_max) append(line);
}

std::span<const char> LineQueue::take(std::span<char> piece) noexcept {
  std::string_view text(bytes_.get() + begin_, std::min(size(), piece.size()));
  if (text.size() < size()) {
    const std::size_t end = text.rfind('\n');
    if (end != std::string_view::npos) text = text.substr(0, end + 1);
  }
  std::ranges::copy(text, piece.begin());
  begin_ += text.size();
  return piece.first(text.size());
}

bool LineQueue::was_written() noexcept {
  return dropping_ && size() <= bytes_max / 2 && std::exchange(dropping_, false);
}

bool LineQueue::was_refused(std::string_view rest) noexcept {
  lost_count_ += lines_in(rest);
  return !std::exchange(dropping_, true);
}

void LineQueue::give_up() noexcept {
  lost_count_ += lines_in({bytes_.get() + begin_, size()});
  begin_ = end_ = 0;
}

}  // namespace unix_target
