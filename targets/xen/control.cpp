// SPDX-License-Identifier: ISC
#include "targets/xen/control.hpp"

#include <stdexcept>
#include <string>

namespace xen_target {

namespace {

constexpr std::string_view shutdown = "control/shutdown";
constexpr std::string_view target = "memory/target";
constexpr std::uint64_t mib_kib = 1024;
// The toolstack counts pages that are not in the guest's map: consoles, tables, its own slack.
constexpr std::uint64_t slack_kib = 2 * mib_kib;

std::string mib_text(std::uint64_t kib) {
  return std::to_string((kib + mib_kib / 2) / mib_kib) + " MiB";
}

}  // namespace

void Control::begin() {
  for (const char* feature : {"poweroff", "reboot", "suspend"}) {
    static_cast<void>(store_.put(std::string("control/feature-") + feature, "1"));
  }
  static_cast<void>(store_.watch(shutdown, token));
  static_cast<void>(store_.watch(target, token));
  const std::uint64_t given = store_.number(target, memory_kib_);
  if (given + slack_kib < memory_kib_) {
    throw std::runtime_error("this guest was given " + mib_text(given) + " of the " +
                             mib_text(memory_kib_) +
                             " that it may have, and uses what it may have: make maxmem= the same "
                             "as memory=");
  }
}

void Control::look_at_memory() {
  const std::uint64_t wanted = store_.number(target, memory_kib_);
  if (wanted + slack_kib >= memory_kib_ || wanted == told_kib_) return;
  told_kib_ = wanted;
  log_.warning({"memory of ", mib_text(wanted),
                " was asked for and is refused: this guest keeps its ", mib_text(memory_kib_)});
}

void Control::look(const std::function<void(Wish)>& grant) {
  look_at_memory();
  const auto wish = store_.get(shutdown);
  if (!wish || wish->empty()) return;
  // So that the toolstack sees that it was heard.
  static_cast<void>(store_.put(shutdown, ""));
  if (*wish == "poweroff" || *wish == "halt") {
    grant(Wish::power_off);
  } else if (*wish == "reboot") {
    grant(Wish::reboot);
  } else if (*wish == "suspend") {
    grant(Wish::suspend);
  } else {
    log_.warning({"the toolstack asks for '", *wish, "', which this guest does not know"});
  }
}

}  // namespace xen_target
