// SPDX-License-Identifier: ISC
// targets/xen/frontend.hpp: what front ends of all kinds say and ask in xenstore about one device.
//
// States:  Frontend.   Used by: Vif, Vbd.
// Source:  xen/io/xenbus.h.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "targets/xen/host.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

class Frontend {
 public:
  // Both must outlive it. `folder`: "device/vif"; `token`: its watches'.
  Frontend(Host& host, Xenstore& store, std::string_view folder, std::string_view token)
      : host_(host), store_(store), folder_(folder), token_(token) {}

  // The names of the devices in `folder`, "0", in the order of their numbers.
  [[nodiscard]] static std::vector<std::string> names(Xenstore& store, std::string_view folder);

  // Watches the folder: again in a domain that was made anew, where find() is to be called too.
  void begin();
  // Whether the device is there and has a back end, whose state is watched from then on.
  [[nodiscard]] bool find(const std::string& name);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }        // device/vif/0
  [[nodiscard]] const std::string& backend() const noexcept { return backend_; }  // /local/...
  [[nodiscard]] Host::Domain domain() const noexcept { return domain_; }

  // XenbusState...; 0: there is none.
  [[nodiscard]] std::uint64_t backend_state();
  // What the back end says as a number, or `otherwise`.
  [[nodiscard]] std::uint64_t backend_number(std::string_view key, std::uint64_t otherwise);
  // Waits until the back end's state is `state`. Throws std::runtime_error, a sentence, when that
  // takes too long; `what`: "does not wait for us".
  void wait_for_backend(std::uint64_t state, std::string_view what);

  // False: xenstore did not take it.
  [[nodiscard]] bool put(std::string_view key, std::string_view value);
  void say_state(unsigned state);
  // Ends a connection: asks the back end to let go, waits for that, but not long, and takes back
  // what it was lent. Then it may come again, unless it is `broken`.
  void disconnect(const std::function<bool()>& is_let_go, const std::function<void()>& take_back,
                  bool broken);

 private:
  void wait();

  Host& host_;
  Xenstore& store_;
  std::string folder_;
  std::string token_;
  std::string path_;
  std::string backend_;
  Host::Domain domain_ = 0;
};

}  // namespace xen_target
