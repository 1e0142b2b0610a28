// SPDX-License-Identifier: ISC
#include "targets/xen/blkfront.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "targets/xen/abi.hpp"
#include "targets/xen/ring.hpp"

namespace xen_target {

namespace {

static_assert(Blkfront::pages_each == BLKIF_MAX_SEGMENTS_PER_REQUEST);
static_assert(FrontRing<blkif_sring>::size >= Blkfront::places_max);

// By Kind.
constexpr std::array<std::uint8_t, 3> operations = {BLKIF_OP_READ, BLKIF_OP_WRITE,
                                                    BLKIF_OP_FLUSH_DISKCACHE};

}  // namespace

struct Blkfront::Ring : FrontRing<blkif_sring> {};

Blkfront::Blkfront(Host& host, Grants& grants, base::Loop& loop, base::Log& log, std::string name,
                   std::uint16_t handle)
    : Disk(loop, places_max),
      host_(host),
      grants_(grants),
      log_(log),
      name_(std::move(name)),
      handle_(handle),
      ring_(std::make_unique<Ring>()),
      places_(places_max) {}

// The domain ends with its device: what is still held then is read by nobody who counts.
Blkfront::~Blkfront() {
  if (is_open_) close();
}

// Opening and closing.

bool Blkfront::prepare(Host::Domain domain) {
  look_at_left();
  // Closing takes no memory.
  left_.reserve(left_.size() + places_max * pages_each + 1);
  const auto reserve = [this](Grants::Reference& reference) {
    if (reference != 0) return true;
    const std::optional<Grants::Reference> more = grants_.reserve();
    if (more) reference = *more;
    return more.has_value();
  };
  if (!reserve(connection_.ring)) return false;
  if (ring_page_ == nullptr) ring_page_ = new_pages(page_bytes);
  for (Place& place : places_) {
    if (!std::ranges::all_of(place.references, reserve)) return false;
    if (place.pages == nullptr) place.pages = new_pages(request_bytes_max);
  }
  std::memset(ring_page_.get(), 0, page_bytes);
  connection_.port = host_.new_port(domain);
  return connection_.port != 0;
}

std::optional<Blkfront::Connection> Blkfront::open(Host::Domain domain) {
  CHECK(!is_open_);
  if (!prepare(domain)) return std::nullopt;
  domain_ = domain;
  ring_->begin(ring_page_.get());
  broken_by_ = {};
  // A back end that keeps them mapped reads and writes by one mapping.
  constexpr auto access = Grants::Access::write;
  grants_.open(connection_.ring, ring_page_.get(), domain, access);
  for (const Place& place : places_) {
    const std::byte* page = place.pages.get();
    for (const Grants::Reference reference : place.references) {
      grants_.open(reference, page, domain, access);
      page += page_bytes;
    }
  }
  is_open_ = true;
  return connection_;
}

void Blkfront::be_heard(const Facts& facts) {
  CHECK(is_open_ && !is_heard_ && is_usable(facts.info));
  CHECK(!has_begun_ || facts.info == info());
  if (!has_begun_) {
    Disk::begin(facts.info, request_bytes_max / facts.info.sector_bytes * facts.info.sector_bytes);
  }
  has_begun_ = is_heard_ = true;
  set_has_cache(facts.flushes);
  if (!facts.flushes && !facts.info.is_read_only) warn_of_no_flush();
  static_cast<void>(give_up_abandoned());
  for (libos::Requests::Number i = 0; i < places_max; ++i) {
    if (requests().is_in_flight(i)) put(i);
  }
}

void Blkfront::warn_of_no_flush() {
  log_.warning({"disk ", name_,
                ": its back end offers no flush: what is written is safe from a "
                "loss of the host's power only if nothing below it caches writes"});
}

void Blkfront::close() noexcept {
  CHECK(is_open_);
  is_open_ = is_heard_ = false;
  host_.close_port(connection_.port);
  connection_.port = 0;
  if (!take_back(connection_.ring, ring_page_)) ring_page_.reset();
  for (libos::Requests::Number i = 0; i < places_max; ++i) {
    Place& place = places_[i];
    bool is_whole = true;
    for (Grants::Reference& reference : place.references) {
      is_whole = take_back(reference, place.pages) && is_whole;
    }
    place.is_in_ring = false;
    if (!is_whole) place.pages.reset();
    if (is_whole && broken_by_.empty()) continue;
    place.outcome = Outcome::failed;
    if (requests().is_in_flight(i)) complete(i, Outcome::failed);
  }
  static_cast<void>(give_up_abandoned());
}

bool Blkfront::take_back(Grants::Reference& reference, const SharedPages& pages) noexcept {
  if (grants_.close(reference)) return true;
  left_.push_back({std::exchange(reference, 0), pages});
  return false;
}

void Blkfront::look_at_left() noexcept {
  std::erase_if(left_, [this](const Left& left) {
    if (!grants_.close(left.reference)) return false;
    grants_.free(left.reference);
    return true;
  });
}

bool Blkfront::is_let_go() const noexcept {
  const auto is_used = [this](Grants::Reference one) { return grants_.is_used(one); };
  return !is_open_ ||
         (!is_used(connection_.ring) && std::ranges::none_of(places_, [&](const Place& place) {
           return std::ranges::any_of(place.references, is_used);
         }));
}

void Blkfront::forget() noexcept {
  is_open_ = is_heard_ = false;
  connection_.port = 0;
  for (Place& place : places_) {
    place.is_in_ring = false;
    if (place.outcome == Outcome::done) place.outcome = Outcome::lost;
  }
  look_at_left();
}

void Blkfront::break_off(std::string_view why) noexcept {
  if (broken_by_.empty()) broken_by_ = why;
}

// Requests.

base::MutableBytes Blkfront::data_of(libos::Requests::Number number) noexcept {
  std::byte* const pages = places_[number].pages.get();
  return {pages, pages == nullptr ? 0 : request_bytes_max};
}

base::Task<block::Result<void>> Blkfront::ask(const libos::Requests::Held& held, Request request) {
  const base::Instant deadline = loop().now() + patience;
  Place& place = places_[held.number()];
  place.request = request;
  do {
    if (!broken_by_.empty()) co_return unavailable();
    place.outcome = Outcome::none;
    requests().begin(held);
    if (is_heard_) put(held.number());
    const bool has_come = co_await requests().answer(held, deadline);
    if (!has_come) co_return unavailable();
  } while (place.outcome == Outcome::lost);
  if (place.outcome != Outcome::done) co_return unavailable();
  co_return block::Result<void>{};
}

void Blkfront::put(libos::Requests::Number number) {
  Place& place = places_[number];
  // No two requests have one number, so an answer that comes twice is not the next one's.
  place.id = ++requests_sent_ * places_max + number;
  place.is_in_ring = true;
  blkif_request request{};
  request.operation = operations.at(static_cast<std::size_t>(place.request.kind));
  request.handle = handle_;
  request.id = place.id;
  request.sector_number = place.request.unit;
  std::uint32_t rest = place.request.bytes;
  while (rest > 0) {
    const std::uint32_t now = std::min<std::uint32_t>(rest, page_bytes);
    blkif_request_segment& segment = request.seg[request.nr_segments];
    segment.gref = place.references.at(request.nr_segments);
    segment.last_sect = static_cast<std::uint8_t>(now / unit_bytes - 1);
    ++request.nr_segments;
    rest -= now;
  }
  ring_->put(request);
  if (ring_->publish()) host_.notify(connection_.port);
}

void Blkfront::complete(libos::Requests::Number number, Outcome outcome) {
  places_[number].outcome = outcome;
  CHECK(requests().complete(number));
}

void Blkfront::end(std::uint64_t id, unsigned operation, int status) {
  const auto number = static_cast<libos::Requests::Number>(id % places_max);
  Place& place = places_[number];
  if (!place.is_in_ring || place.id != id) {
    break_off("it answered what was not asked");
    return;
  }
  if (operation != operations.at(static_cast<std::size_t>(place.request.kind))) {
    break_off("it answered something else than was asked");
    return;
  }
  place.is_in_ring = false;
  if (place.request.kind == Kind::flush && status == BLKIF_RSP_EOPNOTSUPP) {
    // It may say so at any time, whatever it offered.
    set_has_cache(false);
    warn_of_no_flush();
    status = BLKIF_RSP_OKAY;
  }
  complete(number, status == BLKIF_RSP_OKAY ? Outcome::done : Outcome::failed);
}

bool Blkfront::take_answers() {
  const std::uint32_t ready = ring_->ready();
  if (!ring_->is_sane(ready)) {
    break_off("it answered more than was asked of it");
    return false;
  }
  for (std::uint32_t i = 0; i < ready && broken_by_.empty(); ++i) {
    const blkif_response response = ring_->take();
    end(response.id, response.operation, response.status);
  }
  return ready > 0;
}

bool Blkfront::give_up_abandoned() {
  bool scheduled = false;
  for (libos::Requests::Number i = 0; i < places_max; ++i) {
    if (places_[i].is_in_ring || !requests().is_abandoned(i)) continue;
    complete(i, Outcome::failed);
    scheduled = true;
  }
  return scheduled;
}

// Idling.

bool Blkfront::poll() {
  if (!left_.empty()) look_at_left();
  const bool has_answers = is_open_ && broken_by_.empty() && take_answers();
  return give_up_abandoned() || has_answers;
}

bool Blkfront::prepare_to_sleep() noexcept {
  if (!is_open_) return true;
  if (!broken_by_.empty()) return false;  // it is closed before anybody sleeps
  static_cast<void>(host_.take_event(connection_.port));
  return !ring_->ask_for(1);
}

}  // namespace xen_target
