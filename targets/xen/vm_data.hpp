// SPDX-License-Identifier: ISC
// targets/xen/vm_data.hpp: what the operator of the host gave this guest besides its image and its
// command line, by xenstore.
//
// States:  boot_words, Credentials, credentials_of.
// Where:   vm-data/keys/NAME is the boot key --NAME; vm-data/tls/cert and vm-data/tls/key are a
//          certificate and its key, PEM or DER, of at most 4096 bytes each; and the ip= of the
//          network device, for which the toolstack has a word of its own.
//          The directories of vm-data are read as stores (kv/xenstore).
// Order:   the command line wins over vm-data/keys, and that over ip=.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "targets/xen/xenstore.hpp"

namespace xen_target {

// As on a command line, --name=value. `addresses` is what ip= says, separated by spaces; an address
// without the bits of its network has 24, or 64 of IPv6. It is left out where `arguments` or
// vm-data/keys say how to come by an address.
[[nodiscard]] std::vector<std::string> boot_words(Xenstore& store, std::string_view addresses,
                                                  std::span<char* const> arguments);

struct Credentials {
  std::string certificates;  // empty: none were given
  std::string key;
};
[[nodiscard]] Credentials credentials_of(Xenstore& store);

}  // namespace xen_target
