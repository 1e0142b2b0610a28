// SPDX-License-Identifier: ISC
// targets/xen/netfront.hpp: Xen's network device: two rings of pages that a backend copies or maps.
//
// Models:  net::NetDevice.   Owns: both rings, the pages that frames come into, its references.
// States:  closed -> open (Vif connects it) -> closed; from open to broken when the backend does
//          what the protocol forbids, until it is opened anew. A frame that is sent while it is
//          not open is lost.
// Sending: each page that a piece touches is a slot of the ring; its reference is opened for the
//          backend to read and closed by its answer. Nothing is copied, but frames in more than
//          slots_max pages and those whose Ethernet header is in two. A reference costs two stores,
//          so none is kept open for static pages.
// Coming:  a page is closed to the backend before it is looked at, and opened again afterwards.
// Kept:    what a backend does not let go of when it is closed stays as it is until it does: a page
//          of ours is not freed, and the pieces of a frame are not released, while another domain
//          may read there. poll() looks.
// Told:    the backend once a turn of the loop, when req_event asks for it. Before it says that it
//          is connected nothing to send is in the ring: Linux's netback, woken when it binds the
//          event channel, would find work that it cannot do yet and leave the channel masked. We of
//          frames that came, and of sent ones only when there was no room (rsp_event).
// Bounds:  256 slots a ring.   Source: xen/io/netif.h; Linux's xen-netback for what it can take.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "net/device.hpp"
#include "targets/xen/grants.hpp"
#include "targets/xen/host.hpp"
#include "targets/xen/page.hpp"

namespace xen_target {

class Netfront {
 public:
  // A frame and the page it lies in, which are as much as fits one slot.
  static constexpr std::size_t mtu_bytes_max = page_bytes - net::ethernet_header_bytes;
  // Slots of one frame that every backend takes (XEN_NETIF_NR_SLOTS_MIN).
  static constexpr std::size_t slots_max = 18;
  // With its headers it stays below the 65535 that a slot can say.
  static constexpr std::size_t segmentation_bytes = 61'440;

  struct Facts {
    net::Mac mac{};
    std::size_t mtu_bytes = 1500;
    net::Offload offload;
  };
  // What the backend has to be told.
  struct Connection {
    Grants::Reference sending = 0;
    Grants::Reference receiving = 0;
    Host::Port port = 0;
  };

  // Both must outlive it.
  Netfront(Host& host, Grants& grants, const Facts& facts);
  ~Netfront();
  Netfront(const Netfront&) = delete;
  Netfront& operator=(const Netfront&) = delete;

  // NetDevice.
  [[nodiscard]] net::Mac mac() const noexcept { return facts_.mac; }
  [[nodiscard]] std::size_t mtu_bytes() const noexcept { return facts_.mtu_bytes; }
  [[nodiscard]] net::Offload offload() const noexcept { return facts_.offload; }
  bool send(const net::FrameOut& frame, net::Release release);
  std::optional<net::FrameIn> receive();
  void listen(base::Work* on_frames, base::Work* on_space) noexcept;

  // For Vif. Makes rings for a backend in `domain`; whether it takes frames in several slots.
  // Nothing: no references or ports are left.
  [[nodiscard]] std::optional<Connection> open(Host::Domain domain, bool scatters);
  // Whether the backend does not use the rings.
  [[nodiscard]] bool is_let_go() const noexcept;
  // The backend says that it is connected. It gets what has gathered until now.
  void be_heard();
  [[nodiscard]] bool is_heard() const noexcept { return is_heard_; }
  // Tells the bridges where this address is from now on (RFC 903; RFC 7042 lists its type).
  void announce();
  // The backend has let go, or is taken to have: what it still holds is left to it as long as it
  // holds it.
  void close() noexcept;
  // In a domain that was made anew, after Grants::begin_again(): nothing is held.
  void forget() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }
  // What the backend did wrong; empty: nothing.
  [[nodiscard]] std::string_view broken_by() const noexcept { return broken_by_; }

  // For who sleeps. The loop whose works those are.
  void serve(base::Loop& loop) noexcept { loop_ = &loop; }
  // Tells the backend what is new, and takes what it is done with. True: work was scheduled.
  bool poll();
  // False: something came meanwhile, do not sleep.
  [[nodiscard]] bool prepare_to_sleep() noexcept;
  [[nodiscard]] Host::Port port() const noexcept { return connection_.port; }

  struct Counts {
    std::uint64_t sent = 0;  // frames; a large one that the backend cuts is one
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;  // either way
    std::uint64_t left = 0;     // pages that backends have not let go of yet
  };
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

 private:
  struct Rings;

  // What a slot of the sending ring was last used for.
  struct Slot {
    Grants::Reference reference = 0;
    std::uint16_t head = 0;  // the first slot's number of its frame
    bool is_in_flight = false;
  };
  static constexpr std::size_t no_frame = ~std::size_t{0};
  // By the number of its first slot.
  struct Sent {
    net::Release release;
    Page copy;  // of a frame in too many pages
    std::uint16_t slots_left = 0;
    std::size_t kept = no_frame;  // in kept_frames_
  };
  // A reference that a backend has not let go of.
  struct Left {
    Grants::Reference reference = 0;
    Page page;                     // ours, if it is
    std::size_t frame = no_frame;  // in kept_frames_, if the page is of a frame's pieces
  };
  struct KeptFrame {
    net::Release release;
    std::size_t references = 0;  // 0: this place is free
  };

  bool prepare(Host::Domain domain);
  void release_all() noexcept;
  void take_back(Grants::Reference& reference, Page& page) noexcept;
  void take_back(Slot& slot) noexcept;
  void leave(Grants::Reference& reference, Page& page, std::size_t frame) noexcept;
  [[nodiscard]] std::size_t keep(net::Release release) noexcept;
  void end(Left& left) noexcept;
  void look_at_left() noexcept;
  void break_off(std::string_view why) noexcept;
  [[nodiscard]] bool is_too_large(const net::FrameOut& frame, std::size_t bytes) const noexcept;
  void put_frame(const net::FrameOut& frame, std::size_t bytes, net::Release release, bool copied);
  std::uint16_t put_slot(const std::byte* at, std::size_t in_page, std::size_t size, unsigned flags,
                         std::uint16_t head);
  void put_segmentation(const net::FrameOut& frame);
  void end_slot(std::uint16_t number);
  // Slots that a frame may take now.
  [[nodiscard]] std::size_t room() const noexcept;
  void notify();
  void reclaim();
  void offer_page() noexcept;
  [[nodiscard]] bool has_frames();

  Host& host_;
  Grants& grants_;
  Facts facts_;
  base::Loop* loop_ = nullptr;
  base::Work* on_frames_ = nullptr;
  base::Work* on_space_ = nullptr;

  std::unique_ptr<Rings> rings_;
  Connection connection_;
  Host::Domain domain_ = 0;
  bool is_open_ = false;
  bool is_heard_ = false;
  std::string_view broken_by_;
  std::size_t frame_slots_max_ = 1;
  bool wants_space_ = false;
  unsigned unnotified_ = 0;

  std::vector<Slot> slots_;
  std::vector<std::uint16_t> free_slots_;
  std::vector<Sent> sent_;
  std::uint32_t segmentations_in_flight_ = 0;

  // By their slot in the ring.
  std::vector<Page> pages_;
  std::vector<Grants::Reference> page_references_;
  std::vector<Left> left_;
  std::vector<KeptFrame> kept_frames_;
  bool is_rest_ = false;       // of a frame in several pages: we never said that there may be one
  bool is_page_lent_ = false;  // the one that the last frame stands in
  std::array<std::byte, 60> announcement_{};
  Counts counts_;
};

static_assert(net::NetDevice<Netfront>);

}  // namespace xen_target
