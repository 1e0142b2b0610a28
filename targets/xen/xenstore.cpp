// SPDX-License-Identifier: ISC
#include "targets/xen/xenstore.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <utility>

#include "targets/xen/abi.hpp"

namespace xen_target {

namespace {

using Index = XENSTORE_RING_IDX;

Index load(Index& index) noexcept { return std::atomic_ref(index).load(std::memory_order_acquire); }
void store(Index& index, Index value) noexcept {
  std::atomic_ref(index).store(value, std::memory_order_release);
}

}  // namespace

void Xenstore::begin(xenstore_domain_interface* ring, Host::Port port) noexcept {
  ring_ = ring;
  port_ = port;
  is_broken_ = ring == nullptr;
  got_bytes_ = 0;
  events_.clear();
  wipe_payload();
  if (ring == nullptr) return;
  sent_ = load(ring->req_prod);
  taken_ = load(ring->rsp_cons);
}

void Xenstore::wipe_payload() noexcept { explicit_bzero(payload_.data(), payload_.size()); }

bool Xenstore::wait(std::uint64_t deadline) noexcept {
  if (host_.now_ns() >= deadline) return false;
  host_.wait(port_, deadline);
  static_cast<void>(host_.take_event(port_));
  return true;
}

std::uint32_t Xenstore::room() noexcept {
  const Index unread = sent_ - load(ring_->req_cons);
  if (unread > XENSTORE_RING_SIZE) is_broken_ = true;
  return is_broken_ ? 0 : XENSTORE_RING_SIZE - unread;
}

bool Xenstore::send(std::string_view bytes, std::uint64_t deadline) {
  while (!bytes.empty()) {
    const std::uint32_t now = room();
    if (is_broken_) return false;
    if (now == 0) {
      if (!wait(deadline)) return false;
      continue;
    }
    const std::size_t count = std::min<std::size_t>(now, bytes.size());
    for (std::size_t i = 0; i < count; ++i) ring_->req[MASK_XENSTORE_IDX(sent_++)] = bytes[i];
    store(ring_->req_prod, sent_);
    bytes.remove_prefix(count);
    host_.notify(port_);
  }
  return true;
}

std::size_t Xenstore::take_bytes(char* to, std::size_t bytes) noexcept {
  const Index ready = load(ring_->rsp_prod) - taken_;
  if (ready > XENSTORE_RING_SIZE) {
    is_broken_ = true;
    return 0;
  }
  const std::size_t count = std::min<std::size_t>(ready, bytes);
  if (count == 0) return 0;
  const Index begin = taken_;
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = std::exchange(ring_->rsp[MASK_XENSTORE_IDX(taken_++)], '\0');
  }
  store(ring_->rsp_cons, taken_);
  // It may have found the ring full before it could see that.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (load(ring_->rsp_prod) - begin >= XENSTORE_RING_SIZE) host_.notify(port_);
  return count;
}

bool Xenstore::take_message() {
  if (is_broken_) return false;
  constexpr std::size_t header_bytes = sizeof(Header);
  while (got_bytes_ < header_bytes) {
    auto* to = reinterpret_cast<char*>(&header_) + got_bytes_;
    const std::size_t now = take_bytes(to, header_bytes - got_bytes_);
    if (now == 0) return false;
    got_bytes_ += now;
  }
  if (header_.bytes > payload_bytes_max) {
    is_broken_ = true;
    return false;
  }
  const std::size_t whole = header_bytes + header_.bytes;
  while (got_bytes_ < whole) {
    char* to = payload_.data() + (got_bytes_ - header_bytes);
    const std::size_t now = take_bytes(to, whole - got_bytes_);
    if (now == 0) return false;
    got_bytes_ += now;
  }
  got_bytes_ = 0;
  return true;
}

// path NUL token NUL. One that is waited for already says no more the second time.
void Xenstore::note_event() {
  const std::string_view payload(payload_.data(), header_.bytes);
  const std::size_t token_at = payload.find('\0');
  if (token_at == std::string_view::npos) return;
  std::string_view token = payload.substr(token_at + 1);
  token = token.substr(0, token.find('\0'));
  if (events_.size() == events_max || std::ranges::find(events_, token) != events_.end()) return;
  events_.emplace_back(token);
}

void Xenstore::take_in() {
  while (take_message()) {
    if (header_.type == XS_WATCH_EVENT) note_event();
    wipe_payload();
  }
}

bool Xenstore::has_events() const noexcept {
  return !events_.empty() || (!is_broken_ && load(ring_->rsp_prod) != taken_);
}

std::optional<std::string> Xenstore::next_event() {
  take_in();
  if (events_.empty()) return std::nullopt;
  std::string token = std::move(events_.front());
  events_.erase(events_.begin());
  return token;
}

Xenstore::Result<std::string> Xenstore::ask(std::uint32_t type, std::string_view first,
                                            std::string_view second, bool ends_second) {
  if (is_broken_) return base::failure(Error::broken);
  std::string message(sizeof(Header), '\0');
  message.append(first);
  message += '\0';
  message.append(second);
  if (ends_second) message += '\0';
  if (message.size() - sizeof(Header) > payload_bytes_max) return base::failure(Error::refused);
  const Header header{type, ++last_request_, 0,
                      static_cast<std::uint32_t>(message.size() - sizeof(Header))};
  std::memcpy(message.data(), &header, sizeof header);
  const std::uint64_t deadline = host_.now_ns() + patience_ns;
  // Half a request cannot be taken back.
  if (!send(message, deadline)) {
    is_broken_ = true;
    return base::failure(Error::broken);
  }
  for (;;) {
    while (take_message()) {
      if (header_.type == XS_WATCH_EVENT) {
        note_event();
        continue;
      }
      // The reply to a request that was given up.
      if (header_.request != header.request) {
        wipe_payload();
        continue;
      }
      std::string text(payload_.data(), header_.bytes);
      wipe_payload();
      if (header_.type == type) return text;
      const bool is_missing = header_.type == XS_ERROR && text.starts_with("ENOENT");
      return base::failure(is_missing ? Error::not_found : Error::refused);
    }
    if (is_broken_) return base::failure(Error::broken);
    if (!wait(deadline)) return base::failure(Error::timed_out);
  }
}

Xenstore::Result<std::string> Xenstore::get(std::string_view path) { return ask(XS_READ, path); }

Xenstore::Result<std::vector<std::string>> Xenstore::list(std::string_view path) {
  const Result<std::string> names = ask(XS_DIRECTORY, path);
  if (!names) return base::failure(names.error());
  std::vector<std::string> out;
  for (std::string_view rest = *names; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (!name.empty()) out.emplace_back(name);
  }
  return out;
}

namespace {

Xenstore::Result<void> without_text(const Xenstore::Result<std::string>& result) {
  if (!result) return base::failure(result.error());
  return {};
}

}  // namespace

Xenstore::Result<void> Xenstore::put(std::string_view path, std::string_view value) {
  return without_text(ask(XS_WRITE, path, value));
}
Xenstore::Result<void> Xenstore::watch(std::string_view path, std::string_view token) {
  return without_text(ask(XS_WATCH, path, token, true));
}
Xenstore::Result<void> Xenstore::unwatch(std::string_view path, std::string_view token) {
  return without_text(ask(XS_UNWATCH, path, token, true));
}

std::uint64_t Xenstore::number(std::string_view path, std::uint64_t otherwise) {
  const Result<std::string> text = get(path);
  if (!text) return otherwise;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  auto [at, error] = std::from_chars(text->data(), end, value);
  return error == std::errc{} && at == end ? value : otherwise;
}

}  // namespace xen_target
