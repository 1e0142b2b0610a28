// SPDX-License-Identifier: ISC
#include "tls/message_assembly.hpp"

#include <algorithm>
#include <utility>

namespace tls {

base::Result<bool, Alert> MessageAssembly::add(base::Bytes record, bool is_first) {
  constexpr std::size_t head_bytes = 4;  // of a handshake message: type and length
  constexpr std::byte client_hello{1};
  const base::Bytes fragment = record.subspan(record_header_bytes);
  if (record[0] != static_cast<std::byte>(ContentType::handshake) || fragment.empty()) {
    return base::failure(Alert::unexpected_message);
  }
  if (record_.empty()) {
    const std::byte minor = is_first ? std::byte{1} : record[2];
    record_.assign({record[0], std::byte{3}, minor, {}, {}});
  }
  record_.insert(record_.end(), fragment.begin(), fragment.end());
  const base::Bytes message = base::Bytes(record_).subspan(record_header_bytes);
  if (is_first && message[0] != client_hello) return base::failure(Alert::unexpected_message);
  if (message.size() < head_bytes) return false;
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(message[at]); };
  const std::size_t length = head_bytes + (byte(1) << 16 | byte(2) << 8 | byte(3));
  const std::size_t size = message.size();
  record_[3] = static_cast<std::byte>(size >> 8 & 0xff);
  record_[4] = static_cast<std::byte>(size & 0xff);
  const auto reserved = reserve(std::max(length, size), message[0] == client_hello);
  if (!reserved) return base::failure(reserved.error());
  return size >= length;
}

base::Result<void, Alert> MessageAssembly::reserve(std::size_t size, bool is_hello) {
  if (size > (is_hello ? hello_bytes_max : record_content_max)) {
    return base::failure(Alert::illegal_parameter);
  }
  if (size <= record_content_max) return {};
  const std::size_t more = size - record_content_max;
  if (long_hellos_ != nullptr && more > long_hello_bytes_) {
    give_back();
    if (more > long_hellos_->bytes_left) return base::failure(Alert::internal_error);
    long_hellos_->bytes_left -= more;
    long_hello_bytes_ = more;
  }
  record_.reserve(record_header_bytes + size);
  return {};
}

void MessageAssembly::give_back() noexcept {
  if (long_hello_bytes_ != 0) long_hellos_->bytes_left += std::exchange(long_hello_bytes_, 0);
}

void MessageAssembly::clear() noexcept {
  give_back();
  record_ = {};
}

}  // namespace tls
