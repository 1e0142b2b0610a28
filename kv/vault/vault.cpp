// SPDX-License-Identifier: ISC
#include "kv/vault/vault.hpp"

namespace kv::vault {

std::string refusal(const Slot& a, const Slot& b) {
  const auto is_either = [&](SlotState state) { return a.state == state || b.state == state; };
  if (a.state == SlotState::whole && b.state == SlotState::whole &&
      a.index.geometry != b.index.geometry) {
    return "is damaged: its two copies of the index are of different vaults; nothing was changed";
  }
  if (is_either(SlotState::whole)) return "";
  if (is_either(SlotState::damaged)) {
    return "is a damaged vault: neither copy of its index is whole; nothing was changed, put a "
           "backup in its place";
  }
  if (is_either(SlotState::other_version)) {
    return "is a vault of another version of crunch; nothing was changed";
  }
  if (is_either(SlotState::other_device)) {
    return "is a vault that was made for a larger disk, or for smaller sectors; it was cut, or "
           "copied in part: nothing was changed";
  }
  if (is_either(SlotState::foreign)) {
    return "holds something that is no vault; nothing was changed. crunch disk format FILE --vault "
           "makes one";
  }
  return "is empty and no vault yet: crunch disk format FILE --vault makes one";
}

const Slot& durable_slot(const Slot& a, const Slot& b) {
  const bool is_b = b.state == SlotState::whole &&
                    (a.state != SlotState::whole || b.index.generation < a.index.generation);
  return is_b ? b : a;
}

const Slot& right_slot(const Slot& a, const Slot& b) {
  const bool is_b = b.state == SlotState::whole &&
                    (a.state != SlotState::whole || b.index.generation > a.index.generation);
  return is_b ? b : a;
}

}  // namespace kv::vault
