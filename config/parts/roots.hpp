// SPDX-License-Identifier: ISC
// config/parts/roots.hpp: the roots that an appliance trusts when it connects to others by TLS.
//
// States:  Roots, RootsModule, roots: a device of what `crunch build --roots` put into the image
//          (`crunched_roots`).
// Owns:    the parsed roots, once for all threads.
// Errors:  StartError where the image has none, or they cannot be read; warnings are logged.

#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/log.hpp"
#include "config/embedded_file.hpp"
#include "config/graph.hpp"
#include "config/instances.hpp"
#include "tls/anchors.hpp"

namespace config {

class Roots {
 public:
  explicit Roots(std::shared_ptr<const tls::Anchors> anchors) : anchors_(std::move(anchors)) {}
  [[nodiscard]] const std::shared_ptr<const tls::Anchors>& anchors() const noexcept {
    return anchors_;
  }

 private:
  std::shared_ptr<const tls::Anchors> anchors_;
};

// Whom a TLS client trusts.
struct RootsModule {
  static constexpr std::string_view name = "roots";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = std::same_as<T, Roots>;
};

template <const EmbeddedFile* files>
struct ConnectRoots {
  static constexpr std::tuple<> keys{};

  Roots operator()(auto& context) const {
    using Shared = std::shared_ptr<const tls::Anchors>;
    auto& platform = context.platform;
    return Roots(context.of_appliance.template get<Shared>([&platform] {
      if (files->name == nullptr) {
        throw StartError(
            "the image has no roots to check servers' certificates with: build it with --roots");
      }
      const base::Bytes bytes{reinterpret_cast<const std::byte*>(files->begin),
                              reinterpret_cast<const std::byte*>(files->end)};
      auto made = tls::Anchors::make({files->name, bytes});
      if (!made) throw StartError(made.error());
      for (const std::string& warning : made->warnings(platform.clock.wall_s())) {
        platform.log.warning({warning});
      }
      return std::make_unique<Shared>(std::make_shared<const tls::Anchors>(std::move(*made)));
    }));
  }
};

// roots: those of the image.
template <const EmbeddedFile* files>
constexpr auto roots() {
  return impl<Roots>("tls::Anchors", Typ<RootsModule>{}, ConnectRoots<files>{});
}

}  // namespace config
