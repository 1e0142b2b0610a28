// SPDX-License-Identifier: ISC
// Xenstore's replies and indices as foreign bytes: nothing but errors may come of them.
//
// Input: a byte says what happens next: replies of the bytes that follow, indices, or a call.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "targets/xen/abi.hpp"
#include "targets/xen/xenstore.hpp"
#include "tests/targets/xen/fuzz_input.hpp"
#include "tests/targets/xen/played_host.hpp"

namespace xen_target {
namespace {

void act(FuzzInput& input, xenstore_domain_interface& ring) {
  ring.req_cons = ring.req_prod;
  switch (input.byte() % 4) {
    case 0: {  // a message that may be well made
      const xsd_sockmsg header{input.byte(), input.byte(), 0, input.byte()};
      for (std::size_t i = 0; i < sizeof header; ++i) {
        ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = reinterpret_cast<const char*>(&header)[i];
      }
      break;
    }
    case 1:
      for (unsigned count = input.byte(); count > 0; --count) {
        ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = static_cast<char>(input.byte());
      }
      break;
    case 2:
      ring.rsp_prod += input.word();
      break;
    default:
      ring.req_cons -= input.word();
  }
}

}  // namespace
}  // namespace xen_target

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xen_target;
  FuzzInput input(data, size);
  PlayedHost host;
  xenstore_domain_interface ring{};
  Xenstore client(host);
  client.begin(&ring, 1);
  host.on_wait = [&] {
    if (input.is_empty()) host.now += Xenstore::patience_ns;
    act(input, ring);
  };
  while (!input.is_empty()) {
    switch (input.byte() % 5) {
      case 0:
        static_cast<void>(client.get("name"));
        break;
      case 1:
        static_cast<void>(client.list("device"));
        break;
      case 2:
        static_cast<void>(client.put("state", std::string(input.byte() * 8U, 'x')));
        break;
      case 3:
        static_cast<void>(client.number("memory/target", 1));
        break;
      default:
        static_cast<void>(client.next_event());
    }
  }
  return 0;
}
