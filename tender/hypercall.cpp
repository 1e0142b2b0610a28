// SPDX-License-Identifier: ISC
#include "tender/hypercall.hpp"

namespace tender {

namespace {

using Refusal = base::Failure<std::string>;
using Decoded = base::Result<Request, std::string>;

std::string hex(std::uint64_t number) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number != 0);
  return "0x" + text;
}

// "puts: its 0x10 bytes at 0x200000 are not in the guest's memory"
Refusal refuse_range(const std::string& what, std::uint64_t at, std::uint64_t bytes, bool writes) {
  return Refusal(what + ": the " + hex(bytes) + " bytes at " + hex(at) + " are not all in " +
                 (writes ? "memory that may be written" : "the guest's memory"));
}

class Decoder {
 public:
  Decoder(const GuestMemory& memory, std::span<const solo5::ManifestEntry> manifest,
          std::uint64_t at)
      : memory_(memory), manifest_(manifest), at_(at) {}

  [[nodiscard]] Decoded walltime() const {
    if (!memory_.writable(at_, sizeof(solo5::Walltime))) {
      return refuse_range("walltime", at_, sizeof(solo5::Walltime), true);
    }
    return WalltimeRequest{at_};
  }

  [[nodiscard]] Decoded puts() const {
    const auto call = memory_.copy_in<solo5::Puts>(at_);
    if (!call) return refuse_range("puts", at_, sizeof(solo5::Puts), false);
    const auto text = memory_.readable(call->data, call->bytes);
    if (!text) return refuse_range("puts", call->data, call->bytes, false);
    return PutsRequest{*text};
  }

  [[nodiscard]] Decoded poll() const {
    const auto call = memory_.copy_in<solo5::Poll>(at_);
    if (!call || !memory_.writable(at_, sizeof(solo5::Poll))) {
      return refuse_range("poll", at_, sizeof(solo5::Poll), true);
    }
    return PollRequest{at_, *call};
  }

  [[nodiscard]] Decoded block(bool is_write) const {
    const std::string what = is_write ? "block_write" : "block_read";
    const auto call = memory_.copy_in<solo5::BlockTransfer>(at_);
    if (!call || !memory_.writable(at_, sizeof(solo5::BlockTransfer))) {
      return refuse_range(what, at_, sizeof(solo5::BlockTransfer), true);
    }
    if (!has(call->handle, solo5::DeviceType::block)) return refuse_handle(what, call->handle);
    if (is_write) {
      const auto from = memory_.readable(call->data, call->bytes);
      if (!from) return refuse_range(what, call->data, call->bytes, false);
      return BlockWriteRequest{at_, *call, *from};
    }
    const auto to = memory_.writable(call->data, call->bytes);
    if (!to) return refuse_range(what, call->data, call->bytes, true);
    return BlockReadRequest{at_, *call, *to};
  }

  [[nodiscard]] Decoded net(bool is_write) const {
    const std::string what = is_write ? "net_write" : "net_read";
    const auto call = memory_.copy_in<solo5::NetTransfer>(at_);
    if (!call || !memory_.writable(at_, sizeof(solo5::NetTransfer))) {
      return refuse_range(what, at_, sizeof(solo5::NetTransfer), true);
    }
    return net(is_write, what, *call);
  }
  [[nodiscard]] Decoded net(bool is_write, const std::string& what,
                            const solo5::NetTransfer& call) const {
    if (!has(call.handle, solo5::DeviceType::net)) return refuse_handle(what, call.handle);
    if (is_write) {
      const auto frame = memory_.readable(call.data, call.bytes);
      if (!frame) return refuse_range(what, call.data, call.bytes, false);
      return NetWriteRequest{at_, call, *frame};
    }
    const auto to = memory_.writable(call.data, call.bytes);
    if (!to) return refuse_range(what, call.data, call.bytes, true);
    return NetReadRequest{at_, call, *to};
  }

  [[nodiscard]] Decoded halt() const {
    const auto call = memory_.copy_in<solo5::Halt>(at_);
    if (!call) return refuse_range("halt", at_, sizeof(solo5::Halt), false);
    if (call->cookie != 0 && !memory_.readable(call->cookie, solo5::halt_cookie_bytes)) {
      return refuse_range("halt", call->cookie, solo5::halt_cookie_bytes, false);
    }
    return HaltRequest{*call};
  }

 private:
  [[nodiscard]] bool has(std::uint64_t handle, solo5::DeviceType type) const noexcept {
    return handle > 0 && handle < manifest_.size() && manifest_[handle].type == type &&
           manifest_[handle].attached != 0;
  }
  [[nodiscard]] static Refusal refuse_handle(const std::string& what, std::uint64_t handle) {
    return Refusal(what + ": there is no such device with the handle " + hex(handle));
  }

  const GuestMemory& memory_;
  std::span<const solo5::ManifestEntry> manifest_;
  std::uint64_t at_;
};

}  // namespace

Decoded decode(const GuestMemory& memory, std::span<const solo5::ManifestEntry> manifest,
               const Access& access) {
  const std::string port = "port " + hex(access.port);
  if (!access.is_out) return Refusal("it reads " + port + ", and no port can be read");
  const unsigned number = unsigned{access.port} - solo5::port_base;
  if (number < static_cast<unsigned>(solo5::Call::walltime) ||
      number > static_cast<unsigned>(solo5::Call::halt)) {
    return Refusal("it writes to " + port + ", which is no hypercall");
  }
  if (access.bytes != sizeof(std::uint32_t) || access.count != 1) {
    return Refusal("it writes " + std::to_string(access.count) + " times " +
                   std::to_string(access.bytes) + " bytes to " + port +
                   ", where a hypercall is 4 bytes, once");
  }
  const Decoder decoder(memory, manifest, access.value);
  switch (static_cast<solo5::Call>(number)) {
    case solo5::Call::walltime:
      return decoder.walltime();
    case solo5::Call::puts:
      return decoder.puts();
    case solo5::Call::poll:
      return decoder.poll();
    case solo5::Call::block_write:
      return decoder.block(true);
    case solo5::Call::block_read:
      return decoder.block(false);
    case solo5::Call::net_write:
      return decoder.net(true);
    case solo5::Call::net_read:
      return decoder.net(false);
    case solo5::Call::halt:
      return decoder.halt();
  }
  return Refusal("it writes to " + port + ", which is no hypercall");
}

Decoded decode_entry(const GuestMemory& memory, std::span<const solo5::ManifestEntry> manifest,
                     const solo5::RingEntry& entry) {
  const bool is_write = entry.operation == solo5::RingOperation::net_write;
  if (!is_write && entry.operation != solo5::RingOperation::net_read) {
    return Refusal("the ring: there is no operation " +
                   hex(static_cast<std::uint32_t>(entry.operation)));
  }
  const solo5::NetTransfer call{entry.handle, entry.data, entry.bytes, solo5::Answer::ok, 0};
  return Decoder(memory, manifest, 0).net(is_write, is_write ? "ring_write" : "ring_read", call);
}

solo5::Answer block_answer(const solo5::BlockDetails& device,
                           const solo5::BlockTransfer& call) noexcept {
  if (device.block_bytes == 0 || call.bytes == 0) return solo5::Answer::invalid;
  if (call.offset % device.block_bytes != 0 || call.bytes % device.block_bytes != 0) {
    return solo5::Answer::invalid;
  }
  const bool is_there =
      call.offset <= device.capacity_bytes && call.bytes <= device.capacity_bytes - call.offset;
  return is_there ? solo5::Answer::ok : solo5::Answer::invalid;
}

}  // namespace tender
