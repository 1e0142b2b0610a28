// SPDX-License-Identifier: ISC
// crunch/serve/outside.hpp: how others reach the preview: this machine's addresses, a QR code of
// one, a browser.
//
// Library: libqrencode, loaded when it is asked for, so that crunch itself depends on none.

#pragma once

#include <string>
#include <vector>

namespace crunch::serve {

// Addresses of this machine in the networks that it is in, IPv4 first; none of loopback.
[[nodiscard]] std::vector<std::string> network_addresses();

// Lines of block characters, dark on light; empty: libqrencode is not installed, or `text` is too
// long for a code.
[[nodiscard]] std::string qr_code(const std::string& text);

// Starts the browser that $BROWSER names or the desktop has. False: there is none.
[[nodiscard]] bool open_browser(const std::string& url);

}  // namespace crunch::serve
