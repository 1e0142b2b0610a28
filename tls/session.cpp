// SPDX-License-Identifier: ISC
#include "tls/session.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace tls {
namespace {

// A peer that sends records without content keeps us busy for nothing.
constexpr std::uint8_t idle_records_max = 32;

// Room that a waiting connection may keep beyond twice what it holds.
constexpr std::size_t partial_spare_max = 1024;

constexpr std::string_view plain_answer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 64\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks HTTPS only: write https:// instead of http://.\n";

constexpr std::array<std::string_view, 9> methods{
    "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS", "PATCH ", "TRACE ", "CONNECT"};

std::byte byte_of(auto value) { return static_cast<std::byte>(value); }

}  // namespace

Session::Session(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
Session::~Session() = default;

base::Bytes Session::receive(base::Bytes in, base::MutableBytes scratch) {
  CHECK(scratch.size() >= scratch_bytes);
  if (phase_ == Phase::handshake) receive_handshake(in);
  if (phase_ == Phase::open) return receive_open(in, scratch);
  return {};
}

std::optional<base::Bytes> Session::next_record(base::Bytes& in) {
  if (partial_.size() != partial_used_) keep(in);
  const bool is_kept = partial_.size() != partial_used_;
  const base::Bytes bytes = is_kept ? base::Bytes(partial_).subspan(partial_used_) : in;
  const auto header = record_header(bytes);
  if (header && header->length > record_content_max + record_expansion_max) {
    fail(Alert::record_overflow);
    return {};
  }
  if (header && bytes.size() >= record_header_bytes + header->length) {
    const base::Bytes record = bytes.first(record_header_bytes + header->length);
    if (!is_kept) in = in.subspan(record.size());
    return record;
  }
  keep(in);
  // The connection waits now. It keeps what came of one record, and not the room for a whole read.
  if (partial_.capacity() > 2 * partial_.size() + partial_spare_max) partial_.shrink_to_fit();
  return {};
}

// The records that were taken go first: if the peer's bytes always ended inside a record, the
// buffer would never be empty and would grow with everything the peer sends.
void Session::keep(base::Bytes& in) {
  partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(partial_used_));
  partial_used_ = 0;
  partial_.insert(partial_.end(), in.begin(), in.end());
  in = {};
}

void Session::drop(std::size_t size) {
  if (partial_.size() == partial_used_) return;  // the record lay in the caller's bytes
  partial_used_ += size;
  if (partial_used_ != partial_.size()) return;
  std::vector<std::byte>().swap(partial_);  // an idle connection keeps no buffer
  partial_used_ = 0;
}

base::Bytes Session::receive_open(base::Bytes& in, base::MutableBytes scratch) {
  base::Bytes content;
  while (phase_ == Phase::open && content.empty()) {
    const auto record = next_record(in);
    if (!record) break;
    const auto opened = records_->open(*record, scratch.data());
    drop(record->size());
    if (!opened) {
      fail(opened.error());
      break;
    }
    content = handle(*opened);
    if (content.empty() && ++idle_records_ > idle_records_max) fail(Alert::unexpected_message);
  }
  if (!content.empty()) idle_records_ = 0;
  if (phase_ != Phase::open) return {};
  if (!in.empty()) keep(in);  // what follows is for the next call
  return content;
}

// Refuses early what can be no ClientHello, before anything is made for it.
bool Session::looks_wrong(base::Bytes start) {
  const std::string_view text = base::text_of(start);
  if (start[0] == byte_of(ContentType::handshake)) {
    if (start.size() < 2 || start[1] == std::byte{3}) return false;
    fail(Alert::protocol_version);
    return true;
  }
  for (const std::string_view method : methods) {
    if (text.starts_with(method)) {
      const base::Bytes answer = base::bytes_of(plain_answer);
      pending_.assign(answer.begin(), answer.end());
      plain_http_ = true;
      phase_ = Phase::failed;
      return true;
    }
    if (method.starts_with(text)) return true;  // too little to tell
  }
  fail(Alert::unexpected_message);
  return true;
}

void Session::receive_handshake(base::Bytes& in) {
  keep(in);
  while (phase_ == Phase::handshake && partial_used_ != partial_.size()) {
    const base::Bytes start = base::Bytes(partial_).subspan(partial_used_);
    if (!handshake_ && looks_wrong(start)) return;
    const auto record = next_record(in);
    if (!record) return;
    if (!handshake_) handshake_ = std::make_unique<Handshake>(context_, *record);
    std::size_t taken = 0;
    const std::size_t said = pending_.size();
    const auto progress = handshake_->advance(*record, taken, pending_);
    const bool silent = pending_.size() == said;
    if (progress == Handshake::Progress::more) {
      if (taken != record->size()) return fail(Alert::internal_error);
      drop(taken);
    } else if (progress == Handshake::Progress::done) {
      drop(record->size());
      records_.emplace(handshake_->keys());
      handshake_.reset();
      context_.reset();
      phase_ = Phase::open;
    } else if (silent && !handshake_->was_given_up()) {
      fail(Alert::internal_error);  // no memory even for an alert
    } else {
      handshake_.reset();
      context_.reset();
      phase_ = Phase::failed;
    }
  }
}

base::Bytes Session::handle(const Records::Opened& opened) {
  switch (opened.type) {
    case ContentType::application_data:
      return opened.content;
    case ContentType::alert:
      handle_alert(opened.content);
      break;
    case ContentType::handshake:
      handle_handshake_message(opened.content);
      break;
    default:
      fail(Alert::unexpected_message);
      break;
  }
  return {};
}

void Session::handle_alert(base::Bytes alert) {
  if (alert.size() != 2) return fail(Alert::decode_error);
  constexpr std::byte warning{1};
  constexpr std::byte user_canceled{90};
  if (alert[1] == byte_of(Alert::close_notify)) {
    phase_ = Phase::ended;
  } else if (alert[1] == user_canceled ||
             (alert[0] == warning && records_->version() == Version::tls_1_2)) {
    return;  // says nothing about the stream
  } else {
    phase_ = Phase::failed;  // the peer knows why; it gets no alert back
  }
}

// RFC 8446 section 4.6.3. It is the only message that a client may send now: post-handshake
// authentication was not asked for, and TLS 1.2 would begin a renegotiation.
void Session::handle_handshake_message(base::Bytes message) {
  constexpr std::byte key_update{24};
  if (records_->version() == Version::tls_1_2) return fail(Alert::no_renegotiation);
  if (message.empty() || message[0] != key_update) return fail(Alert::unexpected_message);
  const std::array update{key_update, std::byte{0}, std::byte{0}, std::byte{1}};
  if (message.size() != 5 || !std::equal(update.begin(), update.end(), message.begin()) ||
      message[4] > std::byte{1}) {
    return fail(Alert::decode_error);
  }
  records_->update_receive_key();
  if (message[4] == std::byte{1}) key_update_due_ = true;
}

std::size_t Session::seal(std::span<const base::Bytes> pieces, std::byte* out) {
  CHECK(records_ && phase_ != Phase::failed);
  std::size_t size = 0;
  if (key_update_due_ || records_->wants_send_update()) {
    const std::array message{std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
    const std::array update{base::Bytes(message)};
    size = records_->seal(ContentType::handshake, update, out);
    records_->update_send_key();
    key_update_due_ = false;
  }
  return size + records_->seal(ContentType::application_data, pieces, out + size);
}

void Session::close_notify() {
  if (phase_ == Phase::failed || close_sent_) return;
  close_sent_ = true;
  append_alert(Alert::close_notify, 1);
}

void Session::fail(Alert alert) {
  append_alert(alert, 2);
  phase_ = Phase::failed;
  handshake_.reset();
  context_.reset();
}

void Session::abandon() noexcept {
  phase_ = Phase::failed;
  handshake_.reset();
  context_.reset();
  pending_ = {};
  partial_ = {};
  partial_used_ = 0;
}

void Session::append_alert(Alert alert, std::uint8_t level) {
  const std::array body{byte_of(level), byte_of(alert)};
  if (records_) {
    const std::array content{base::Bytes(body)};
    const std::size_t at = pending_.size();
    pending_.resize(at + body.size() + records_->overhead_bytes());
    records_->seal(ContentType::alert, content, pending_.data() + at);
    return;
  }
  const std::array record{byte_of(ContentType::alert),
                          std::byte{3},
                          std::byte{3},
                          std::byte{0},
                          std::byte{2},
                          body[0],
                          body[1]};
  pending_.insert(pending_.end(), record.begin(), record.end());
}

}  // namespace tls
