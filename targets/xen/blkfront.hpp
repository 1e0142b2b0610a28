// SPDX-License-Identifier: ISC
// targets/xen/blkfront.hpp: Xen's disk: a ring of one page, and pages that the back end reads and
// writes.
//
// Models:  block::BlockDevice, as a libos::Disk.   Owns: the ring, its references, and for each of
//          places_max requests as many pages as one request may have.
// States:  closed -> open (Vbd connects it) -> heard (the back end is connected, and what it said
//          of the disk was checked) -> closed; from open to broken when the back end does what the
//          protocol forbids, until it is opened anew.
// Requests: one that is under way when the back end goes, or when the domain is put away, is sent
//          again to the next one; whoever asked does not notice. One that nobody waits for any more
//          is not: others to the same sectors may have been done since. While the device is broken
//          every call is `unavailable`.
// Grants:  persistent: the places' pages are open to the back end as long as the device is, and
//          data are copied from and to them. It never has any other memory.
// Kept:    pages that a back end does not let go of when it is closed stay as they are until it
//          does; the place gets others. poll() looks.
// Durable: flush asks the back end where it offers that (feature-flush-cache). Linux's blkback
//          offers none for a disk without a cache, whose writes are durable; of others nobody
//          knows, so the log warns.
// Trust:   a request's number comes back only if it is under way, once, and with its own operation;
//          anything else breaks the device. Data are copied before anybody looks at them.
// Bounds:  32 requests in a ring, of which places_max are used.
// Source:  xen/io/blkif.h; Linux's xen-blkback: sectors are counted in 512 bytes, whatever
//          sector-size is (as blkif.h of Xen 4.20 says, too).

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "block/block.hpp"
#include "targets/libos/disk.hpp"
#include "targets/xen/grants.hpp"
#include "targets/xen/host.hpp"
#include "targets/xen/page.hpp"

namespace xen_target {

class Blkfront final : public libos::Disk {
 public:
  static constexpr std::size_t places_max = 4;
  static constexpr std::size_t pages_each = 11;  // BLKIF_MAX_SEGMENTS_PER_REQUEST
  static constexpr std::uint32_t request_bytes_max = pages_each * page_bytes;

  // What a back end says of its disk.
  struct Facts {
    block::Info info;
    bool flushes = false;
  };
  // What the back end has to be told.
  struct Connection {
    Grants::Reference ring = 0;
    Host::Port port = 0;
  };

  // All must outlive it. `name`: "device/vbd/51712", for the log; `handle`: its number.
  Blkfront(Host& host, Grants& grants, base::Loop& loop, base::Log& log, std::string name,
           std::uint16_t handle);
  ~Blkfront();

  // For Vbd. Makes a ring for a back end in `domain`. Nothing: no references or ports are left.
  [[nodiscard]] std::optional<Connection> open(Host::Domain domain);
  // The back end is connected. `facts` is usable, and its info what it was the last time. Sends
  // what is under way.
  void be_heard(const Facts& facts);
  [[nodiscard]] bool is_heard() const noexcept { return is_heard_; }
  // Whether requests can be made to a disk that `info` is of.
  [[nodiscard]] static bool is_usable(const block::Info& info) noexcept {
    return block::is_possible(info) && info.sector_bytes <= request_bytes_max;
  }
  // The device is broken: of something that the back end did, or said.
  void break_off(std::string_view why) noexcept;
  // What that was; empty: nothing.
  [[nodiscard]] std::string_view broken_by() const noexcept { return broken_by_; }
  // Whether the back end does not use what it was lent.
  [[nodiscard]] bool is_let_go() const noexcept;
  // The back end has let go, or is taken to have: what it still holds is left to it as long as it
  // holds it.
  void close() noexcept;
  // In a domain that was made anew, after Grants::begin_again(): nothing is held.
  void forget() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }
  // Pages that back ends have not let go of yet.
  [[nodiscard]] std::size_t left_count() const noexcept { return left_.size(); }

  // For who sleeps. Takes what the back end is done with; true: work was scheduled.
  bool poll();
  // False: something came meanwhile, do not sleep.
  [[nodiscard]] bool prepare_to_sleep() noexcept;
  [[nodiscard]] Host::Port port() const noexcept { return connection_.port; }

 private:
  struct Ring;
  using SharedPages = std::shared_ptr<std::byte[]>;
  enum class Outcome : std::uint8_t {
    none,
    done,
    failed,
    lost,  // its answer was to a domain that is gone, and memory may not have what came with it
  };
  struct Place {
    SharedPages pages;  // null: left to a back end
    std::array<Grants::Reference, pages_each> references{};
    Request request;
    std::uint64_t id = 0;
    bool is_in_ring = false;
    Outcome outcome = Outcome::none;
  };
  struct Left {
    Grants::Reference reference;
    SharedPages pages;
  };

  [[nodiscard]] base::MutableBytes data_of(libos::Requests::Number number) noexcept override;
  [[nodiscard]] base::Task<block::Result<void>> ask(const libos::Requests::Held& held,
                                                    Request request) override;
  [[nodiscard]] bool prepare(Host::Domain domain);
  void put(libos::Requests::Number number);
  [[nodiscard]] bool take_answers();
  void end(std::uint64_t id, unsigned operation, int status);
  void complete(libos::Requests::Number number, Outcome outcome);
  // Places of requests that no back end has, and nobody waits for. True: work was scheduled.
  bool give_up_abandoned();
  [[nodiscard]] bool take_back(Grants::Reference& reference, const SharedPages& pages) noexcept;
  void look_at_left() noexcept;
  void warn_of_no_flush();

  Host& host_;
  Grants& grants_;
  base::Log& log_;
  std::string name_;
  std::uint16_t handle_;

  std::unique_ptr<Ring> ring_;
  SharedPages ring_page_;
  Connection connection_;
  Host::Domain domain_ = 0;
  bool is_open_ = false;
  bool is_heard_ = false;
  bool has_begun_ = false;
  std::string_view broken_by_;

  std::vector<Place> places_;
  std::uint64_t requests_sent_ = 0;
  std::vector<Left> left_;
};

static_assert(block::BlockDevice<Blkfront>);

}  // namespace xen_target
