// SPDX-License-Identifier: ISC
// tests/targets/xen/lines.hpp: what a log has said.

#pragma once

#include <string>
#include <string_view>

#include "base/log.hpp"

namespace xen_target {

class Lines final : public base::Console {
 public:
  void write(std::string_view line) noexcept override { text += line; }
  std::string text;
};

}  // namespace xen_target
