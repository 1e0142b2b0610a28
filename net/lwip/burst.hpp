// SPDX-License-Identifier: ISC
// net/lwip/burst.hpp: consecutive segments of one connection, as one large frame for a device that
// cuts it again (TCP segmentation offload).
//
// Method:  lwIP cuts what it sends into segments and hands them over one after another. They are
//          held here as long as each is the next of the same: all headers are equal but for what
//          the device makes anew (lengths, IPv4's identification, sequence number, checksums), all
//          payloads but the last are of one size, and only the last has PSH or FIN.
// Owns:    a reference to each of them until the device has released the frame; and the frame's
//          headers: lwIP's own stay as they are, for it may send a segment again.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "net/device.hpp"
#include "net/lwip/frame.hpp"

struct pbuf;

namespace net::lwip {

class Burst {
 public:
  // Pieces of one frame: no device of ours is given more.
  static constexpr std::size_t pieces_max = 64;
  // Of one large frame; IP counts its length in 16 bits.
  static constexpr std::size_t segments_max = 128;

  explicit Burst(std::size_t payload_bytes_max) noexcept : payload_bytes_max_(payload_bytes_max) {}
  ~Burst() { forget(); }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  // Adds the next one, with a reference of its own. False: it is not the next, or there is no room.
  [[nodiscard]] bool take(pbuf& frame, const Segment& segment) noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  // Nothing can follow what it has.
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] pbuf* first() const noexcept { return frames_[0]; }
  // The one frame of at least two segments. It stands as long as this does and nothing is taken.
  [[nodiscard]] FrameOut frame() noexcept;
  void forget() noexcept;

 private:
  // Ethernet's header, and IPv4's and TCP's with all options.
  static constexpr std::size_t header_bytes_max = ethernet_header_bytes + 60 + 60;
  using Header = std::array<std::byte, header_bytes_max>;

  // The headers without what may differ between neighbours.
  [[nodiscard]] static Header common(base::Bytes header, const Segment& segment) noexcept;
  [[nodiscard]] bool is_next(const Header& its_common, const Segment& segment) const noexcept;
  // The payload, joined with the piece before it where the two lie together.
  [[nodiscard]] bool add_pieces(const pbuf& frame, std::size_t skip) noexcept;

  std::size_t payload_bytes_max_;
  std::array<pbuf*, segments_max> frames_;
  std::size_t count_ = 0;
  std::array<base::Bytes, pieces_max> pieces_;  // the first: the headers
  std::size_t piece_count_ = 0;
  Header header_;
  Header common_;
  Segment first_;
  std::byte last_flags_{};  // TCP's
  std::size_t payload_bytes_ = 0;
  bool is_over_ = false;
};

}  // namespace net::lwip
