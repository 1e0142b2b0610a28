// SPDX-License-Identifier: ISC
// targets/xen/xenstore.hpp: a client of xenstore: the tree of small texts that dom0 keeps, where
// devices are described and the toolstack says what it wants.
//
// States:  Xenstore.   Used by: Vif, Control, kv/xenstore (it models its Transport).
// Waiting: a request waits for its reply, a fraction of a millisecond, at most patience_ns; the
//          loop stands still meanwhile. Requests are few: at the start, and when devices change.
// Trust:   replies are foreign bytes. Lengths and indices are read once and checked before anything
//          is used; our own indices are private; a ring whose indices make no sense is not used any
//          more: Error::broken.
// Secrets: a value may be a key. What was answered stays neither here nor in the ring.
// Bounds:  a reply of 4096 bytes (the protocol's own), events_max watch events that wait.
// Source:  xen/io/xs_wire.h; Xen's docs/misc/xenstore.txt and xenstore-ring.txt.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"
#include "targets/xen/host.hpp"

struct xenstore_domain_interface;

namespace xen_target {

class Xenstore {
 public:
  enum class Error : std::uint8_t { not_found, refused, timed_out, broken };
  template <class T>
  using Result = base::Result<T, Error>;

  static constexpr std::uint64_t patience_ns = 20'000'000'000;
  static constexpr std::size_t payload_bytes_max = 4096;
  static constexpr std::size_t events_max = 64;

  // `host` must outlive it. Nothing works before `begin`.
  explicit Xenstore(Host& host) noexcept : host_(host) {}

  // The ring's page, or the one of a domain that was made anew: then watches have to be set again.
  void begin(xenstore_domain_interface* ring, Host::Port port) noexcept;
  [[nodiscard]] Host::Port port() const noexcept { return port_; }

  // Relative paths begin at the domain's own folder.
  [[nodiscard]] Result<std::string> get(std::string_view path);
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view path);
  Result<void> put(std::string_view path, std::string_view value);
  // Events come for `path` and what is below it, one at once. `token` says for whom.
  Result<void> watch(std::string_view path, std::string_view token);
  Result<void> unwatch(std::string_view path, std::string_view token);

  // The same for kv/xenstore, which may be over stores that make it wait.
  [[nodiscard]] base::Ready<Result<std::string>> read(std::string_view path) { return {get(path)}; }
  [[nodiscard]] base::Ready<Result<std::vector<std::string>>> directory(std::string_view path) {
    return {list(path)};
  }

  // The token of a watch whose paths changed, oldest first. Does not wait.
  [[nodiscard]] std::optional<std::string> next_event();
  // Whether next_event() may have one. It may have come with the answer to something else, whose
  // call then took the port's event: who sleeps until that port fires asks this first.
  [[nodiscard]] bool has_events() const noexcept;
  // Makes room in the ring; the events stay for next_event().
  void take_in();

  // The value as a number, or `otherwise` where there is none.
  [[nodiscard]] std::uint64_t number(std::string_view path, std::uint64_t otherwise);

 private:
  struct Header {
    std::uint32_t type, request, transaction, bytes;
  };

  [[nodiscard]] Result<std::string> ask(std::uint32_t type, std::string_view first,
                                        std::string_view second = {}, bool ends_second = false);
  [[nodiscard]] bool send(std::string_view bytes, std::uint64_t deadline);
  [[nodiscard]] std::uint32_t room() noexcept;
  // Takes what has come. False: there is no whole message yet, or the ring is broken.
  [[nodiscard]] bool take_message();
  [[nodiscard]] std::size_t take_bytes(char* to, std::size_t bytes) noexcept;
  void note_event();
  void wipe_payload() noexcept;
  [[nodiscard]] bool wait(std::uint64_t deadline) noexcept;

  Host& host_;
  xenstore_domain_interface* ring_ = nullptr;
  Host::Port port_ = 0;
  bool is_broken_ = true;
  // Our indices; the ring's are for the store to read.
  std::uint32_t sent_ = 0;
  std::uint32_t taken_ = 0;
  std::uint32_t last_request_ = 0;
  // The message that is coming in.
  Header header_{};
  std::size_t got_bytes_ = 0;  // of the header and the payload
  std::array<char, payload_bytes_max> payload_{};
  std::vector<std::string> events_;
};

}  // namespace xen_target
