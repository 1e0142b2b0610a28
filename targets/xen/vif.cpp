// SPDX-License-Identifier: ISC
#include "targets/xen/vif.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "targets/xen/abi.hpp"

namespace xen_target {

namespace {

constexpr std::string_view devices = "device/vif";
constexpr std::size_t mtu_bytes_min = 576;
// Pages and references that backends may keep for good, of all their lives.
constexpr std::uint64_t left_max = 1024;

std::optional<net::Mac> parse_mac(std::string_view text) {
  net::Mac mac{};
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* const begin = text.data() + 3 * i;
    if (text.size() != 17 || (i > 0 && begin[-1] != ':')) return std::nullopt;
    auto [end, error] = std::from_chars(begin, begin + 2, mac.at(i), 16);
    if (error != std::errc{} || end != begin + 2) return std::nullopt;
  }
  return mac;
}

}  // namespace

std::vector<std::string> vif_names(Xenstore& store) { return Frontend::names(store, devices); }

bool Vif::find() {
  const std::vector<std::string> names = vif_names(store_);
  if (std::ranges::find(names, name_) == names.end()) {
    const auto other = std::ranges::find_if(names, is_free_);
    if (other == names.end()) return false;
    name_ = *other;
  }
  return bus_.find(name_);
}

Vif::Features Vif::features() {
  auto says = [this](const char* key) { return bus_.backend_number(key, 0) != 0; };
  Features features;
  features.scatters = says("feature-sg");
  features.offload.send = !says("feature-no-csum-offload") && says("feature-ipv6-csum-offload");
  features.offload.receive = true;
  if (features.offload.send && features.scatters && says("feature-gso-tcpv4") &&
      says("feature-gso-tcpv6")) {
    features.offload.segmentation_bytes = Netfront::segmentation_bytes;
  }
  return features;
}

void Vif::begin(std::string_view name) {
  name_ = name;
  bus_.begin();
  if (!find()) {
    throw std::runtime_error("this guest has no network device (xl: vif = [ \"bridge=xenbr0\" ])");
  }
  bus_.wait_for_backend(XenbusStateInitWait, "does not wait for us");
  const std::string& path = bus_.path();
  const auto mac_text = store_.get(path + "/mac");
  const std::optional<net::Mac> mac = mac_text ? parse_mac(*mac_text) : std::nullopt;
  if (!mac) throw std::runtime_error(path + "/mac in xenstore is no address");
  const Features its = features();
  const std::size_t mtu = store_.number(path + "/mtu", bus_.backend_number("mtu", 1500));
  const Netfront::Facts facts{*mac, std::clamp(mtu, mtu_bytes_min, Netfront::mtu_bytes_max),
                              its.offload};
  device_ = std::make_unique<Netfront>(host_, grants_, facts);
  if (!connect(its)) throw std::runtime_error("xenstore did not take what was written to " + path);
}

std::string Vif::addresses() {
  auto text = store_.get(bus_.backend() + "/ip");
  return text ? std::move(*text) : std::string();
}

bool Vif::connect(const Features& its) {
  const std::optional<Netfront::Connection> made = device_->open(bus_.domain(), its.scatters);
  if (!made) return false;
  const std::pair<const char*, std::uint32_t> keys[] = {
      {"tx-ring-ref", made->sending},
      {"rx-ring-ref", made->receiving},
      {"event-channel", made->port},
      {"request-rx-copy", 1},
      {"feature-rx-notify", 1},
      // Without it the backend keeps to 1500 bytes; frames of up to a page come in one slot.
      {"feature-sg", device_->mtu_bytes() > 1500 ? 1U : 0U},
      {"feature-ipv6-csum-offload", 1},
      {"state", XenbusStateConnected},
  };
  for (const auto& [key, value] : keys) {
    if (!bus_.put(key, std::to_string(value))) {
      device_->close();
      return false;
    }
  }
  return true;
}

void Vif::disconnect() {
  const bool broken = !device_->broken_by().empty();
  log_.warning({"network: the backend ", broken ? "broke the protocol: " : "goes away",
                device_->broken_by()});
  bus_.disconnect([this] { return device_->is_let_go(); }, [this] { device_->close(); }, broken);
}

bool Vif::reconnect() {
  if (device_->counts().left > left_max) {
    log_.error({"network: backends keep too many pages of this guest; no other one is taken"});
    return false;
  }
  const Features its = features();
  const net::Offload& promised = device_->offload();
  if ((promised.send && !its.offload.send) ||
      promised.segmentation_bytes > its.offload.segmentation_bytes) {
    log_.error(
        {"network: the backend that came cannot do what the one before it could; it is not "
         "used"});
    return false;
  }
  if (!connect(its)) {
    log_.error({"network: the backend that came could not be connected"});
    return false;
  }
  device_->announce();
  log_.info({"network: connected again"});
  return true;
}

void Vif::look() {
  if (device_ == nullptr) return;
  const std::uint64_t state = bus_.backend_state();
  if (device_->is_open()) {
    const bool is_going = state == 0 || state >= XenbusStateClosing;
    if (is_going || !device_->broken_by().empty()) disconnect();
    if (state == XenbusStateConnected && device_->is_open() && !device_->is_heard()) {
      device_->be_heard();
    }
    if (device_->is_open()) return;
  }
  // It may be another one, in another place.
  if (find() && bus_.backend_state() == XenbusStateInitWait) static_cast<void>(reconnect());
}

void Vif::begin_again() {
  device_->forget();
  bus_.begin();
  if (!find()) {
    log_.warning({"network: there is no device here"});
    return;
  }
  look();
}

}  // namespace xen_target
