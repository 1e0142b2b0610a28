// SPDX-License-Identifier: ISC
#include "tls/session.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "tls/client_hello.hpp"

namespace tls {
namespace {

// A peer that sends records without content keeps us busy for nothing.
constexpr std::uint8_t idle_records_max = 32;

// RFC 5246 section 7.2.2: warnings do not end a handshake, but nobody sends many.
constexpr std::uint8_t early_alerts_max = 4;

// What a server may send before the session is open: many times what honest ones send.
constexpr std::size_t server_bytes_max = 65536;

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

// RFC 8446 section 5.1. What does not would have a length that means nothing.
bool looks_like_record(base::Bytes start) {
  if (start[0] < byte_of(ContentType::change_cipher_spec) ||
      start[0] > byte_of(ContentType::application_data)) {
    return false;
  }
  return start.size() < 2 || start[1] == std::byte{3};
}

}  // namespace

Session::Session(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
Session::Session(std::unique_ptr<Handshake> client)
    : handshake_(std::move(client)), is_client_(true) {
  advance({});
}
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
  const bool is_plain = header && !records_ && !is_client_ && !is_sealed_ &&
                        header->type != static_cast<std::uint8_t>(ContentType::application_data);
  if (header && header->length > record_content_max + (is_plain ? 0 : record_expansion_max)) {
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

void Session::receive_from_server(base::Bytes& in) {
  handshake_bytes_ += in.size();
  if (handshake_bytes_ > server_bytes_max) return fail(Alert::unexpected_message);
  keep(in);
  while (phase_ == Phase::handshake && partial_used_ != partial_.size()) {
    const base::Bytes start = base::Bytes(partial_).subspan(partial_used_);
    if (!looks_like_record(start)) {
      met_no_tls_ = true;
      return fail(Alert::unexpected_message);
    }
    const auto record = next_record(in);
    if (!record) return;
    advance(*record);
    drop(record->size());
  }
}

// The hello is whole.
void Session::begin_server() {
  if (challenges_ != nullptr) {
    const std::string_view name = challenged_name(handshake_message_.record());
    auto challenge = name.empty() ? nullptr : challenges_->find(name);
    was_challenge_ = challenge != nullptr;
    if (was_challenge_) context_ = std::move(challenge);
  }
  if (context_ == nullptr) return fail(Alert::internal_error);  // there is no certificate yet
  handshake_ =
      std::make_unique<ServerHandshake>(context_, handshake_message_.record(), offer_, shown_);
}

// Refuses early what can be no ClientHello, before anything is made for it.
bool Session::looks_wrong(base::Bytes start) {
  const std::string_view text = base::text_of(start);
  if (start[0] == byte_of(ContentType::handshake)) {
    if (start.size() < 2 || start[1] == std::byte{3}) return false;  // RFC 5246 appendix E.1
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
  if (is_client_) return receive_from_server(in);
  keep(in);
  while (phase_ == Phase::handshake && partial_used_ != partial_.size()) {
    const base::Bytes start = base::Bytes(partial_).subspan(partial_used_);
    if (!handshake_ && looks_wrong(start)) return;
    const auto record = next_record(in);
    if (!record) return;
    const bool is_handshake = record->front() == byte_of(ContentType::handshake);
    if (record->front() == byte_of(ContentType::alert) && ++early_alerts_ > early_alerts_max) {
      return fail(Alert::unexpected_message);
    }
    if (handshake_ && handshake_message_.is_empty() && (!is_handshake || is_sealed_)) {
      // What TLS 1.2's client sends after this has messages that are sealed in parts, too.
      is_sealed_ = is_sealed_ || (record->front() == byte_of(ContentType::change_cipher_spec) &&
                                  !handshake_->awaits_hello());
      advance(*record);
    } else {
      receive_part(*record);
    }
    drop(record->size());
  }
}

void Session::receive_part(base::Bytes record) {
  const auto is_whole = handshake_message_.add(record, !handshake_);
  if (!is_whole) return fail(is_whole.error());
  if (!*is_whole) return;
  if (!handshake_) begin_server();
  if (phase_ == Phase::handshake) advance(handshake_message_.record());
  handshake_message_.clear();
}

void Session::advance(base::Bytes record) {
  std::size_t taken = 0;
  const std::size_t said = pending_.size();
  const auto progress = handshake_->advance(record, taken, pending_);
  const bool silent = pending_.size() == said;
  if (progress == Handshake::Progress::more) {
    if (taken != record.size()) fail(Alert::internal_error);
    return;
  }
  if (progress == Handshake::Progress::done) {
    records_.emplace(handshake_->keys());
    protocol_ = handshake_->protocol();
    phase_ = Phase::open;
  } else if (silent && !handshake_->was_given_up()) {
    fail(Alert::internal_error);  // no memory even for an alert
  } else {
    phase_ = Phase::failed;
  }
  handshake_.reset();
  if (phase_ == Phase::failed) context_.reset();
}

base::Bytes Session::handle(const Records::Opened& opened) {
  switch (opened.type) {
    case ContentType::application_data:
      // RFC 8446 section 5.1: nothing comes between the parts of a handshake message.
      if ((message_bytes_ == 0 && skip_bytes_ == 0) || records_->version() == Version::tls_1_2) {
        return opened.content;
      }
      fail(Alert::unexpected_message);
      break;
    case ContentType::alert:
      handle_alert(opened.content);
      break;
    case ContentType::handshake:
      handle_handshake(opened.content);
      break;
    default:
      fail(Alert::unexpected_message);
      break;
  }
  return {};
}

void Session::handle_alert(base::Bytes alert) {
  if (alert.empty()) return fail(Alert::unexpected_message);  // RFC 8446 section 5.4
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

// A message may come in any number of records, none of them empty.
void Session::handle_handshake(base::Bytes fragment) {
  if (fragment.empty()) return fail(Alert::unexpected_message);
  while (phase_ == Phase::open && !fragment.empty()) {
    if (skip_bytes_ > 0) {
      const std::size_t skipped = std::min(skip_bytes_, fragment.size());
      skip_bytes_ -= skipped;
      fragment = fragment.subspan(skipped);
      continue;
    }
    message_[message_bytes_++] = fragment.front();
    fragment = fragment.subspan(1);
    if (records_->version() == Version::tls_1_2) {
      handle_message_1_2();
    } else {
      handle_message_1_3(fragment.empty());
    }
  }
}

// A peer may only ask to renegotiate, and is told that this is not done: RFC 5246 section 7.2.2.
void Session::handle_message_1_2() {
  const std::byte request = is_client_ ? std::byte{0} : std::byte{1};  // HelloRequest, ClientHello
  if (message_[0] != request) return fail(Alert::unexpected_message);
  if (message_bytes_ < 4) return;
  skip_rest_of_message();
  if (phase_ == Phase::open && pending_.empty()) append_alert(Alert::no_renegotiation, 1);
}

// The head of a message is there; what it says does not matter.
void Session::skip_rest_of_message() {
  const auto byte = [this](std::size_t at) { return std::to_integer<std::size_t>(message_[at]); };
  skip_bytes_ = byte(1) << 16 | byte(2) << 8 | byte(3);
  message_bytes_ = 0;
  if (skip_bytes_ > record_content_max) fail(Alert::illegal_parameter);
}

// RFC 8446 section 4.6.3. It is the only message that a client may send now, as post-handshake
// authentication was not asked for; and it ends a record, as the key changes after it. A server
// also gives tickets, which are not used.
void Session::handle_message_1_3(bool is_last) {
  constexpr std::array update{std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}};
  constexpr std::byte new_session_ticket{4};
  if (is_client_ && message_[0] == new_session_ticket) {
    if (message_bytes_ == 4) skip_rest_of_message();
    return;
  }
  if (message_[0] != update[0]) return fail(Alert::unexpected_message);
  if (message_bytes_ < message_.size()) {
    const bool is_right =
        std::equal(update.begin(), update.begin() + std::min<std::ptrdiff_t>(message_bytes_, 4),
                   message_.begin());
    return is_right ? void() : fail(Alert::decode_error);
  }
  message_bytes_ = 0;
  if (!is_last) return fail(Alert::unexpected_message);
  if (message_[4] > std::byte{1}) return fail(Alert::illegal_parameter);
  records_->update_receive_key();
  if (message_[4] == std::byte{1}) key_update_due_ = true;
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
  handshake_message_.clear();
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
