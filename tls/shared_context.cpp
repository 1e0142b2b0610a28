// SPDX-License-Identifier: ISC
#include "tls/shared_context.hpp"

#include <string>

namespace tls {

bool SharedContext::is_local_only(const Context& context) {
  for (const Identity& identity : context.identities()) {
    for (const std::string& name : identity.names()) {
      if (name != "localhost" && name != "127.0.0.1" && name != "0:0:0:0:0:0:0:1") return false;
    }
  }
  return true;
}

}  // namespace tls
