// SPDX-License-Identifier: ISC
// tests/targets/xen/played_store.hpp: xenstore, at the other end of its ring.
//
// Method:  PlayedStore::act reads whole requests from the ring and answers as xenstored does, in
//          pieces as there is room; it is what PlayedHost does while the client waits.

#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "targets/xen/xenstore.hpp"
#include "tests/targets/xen/played_host.hpp"

namespace xen_target {

class PlayedStore {
 public:
  static constexpr Host::Port port = 1;

  explicit PlayedStore(PlayedHost& host) : host_(host) {
    host.on_wait = [this] { act(); };
  }

  void act() {
    take();
    while (requests.size() >= sizeof(xsd_sockmsg)) {
      xsd_sockmsg header{};
      std::memcpy(&header, requests.data(), sizeof header);
      if (requests.size() < sizeof header + header.len) break;
      const std::string payload = requests.substr(sizeof header, header.len);
      requests.erase(0, sizeof header + header.len);
      if (is_silent) continue;
      answer(header, payload);
    }
    give();
    if (on_act) on_act();
  }

  void set(const std::string& path, const std::string& value) {
    values[path] = value;
    fire(path);
  }
  void fire(const std::string& path) {
    for (const auto& [watched, token] : watches) {
      if (path.starts_with(watched)) put(XS_WATCH_EVENT, 0, path + '\0' + token + '\0');
    }
    give();
  }
  void put(std::uint32_t type, std::uint32_t request, std::string_view payload) {
    const xsd_sockmsg header{type, request, 0, static_cast<std::uint32_t>(payload.size())};
    replies.append(reinterpret_cast<const char*>(&header), sizeof header);
    replies.append(payload);
  }
  // As much as there is room for.
  void give() {
    while (!replies.empty() && ring.rsp_prod - ring.rsp_cons < XENSTORE_RING_SIZE) {
      ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = replies.front();
      replies.erase(0, 1);
      host_.events.insert(port);
    }
  }

  xenstore_domain_interface ring{};
  std::map<std::string, std::string> values;
  std::vector<std::pair<std::string, std::string>> watches;
  std::vector<std::string> written;  // path=value, in order
  std::string requests;
  std::string replies;
  bool is_silent = false;
  std::function<void()> on_act;

 private:
  void take() {
    while (ring.req_cons != ring.req_prod) {
      requests += ring.req[MASK_XENSTORE_IDX(ring.req_cons++)];
    }
  }

  void answer(const xsd_sockmsg& header, const std::string& payload) {
    const std::string path = payload.substr(0, payload.find('\0'));
    const std::string rest = payload.substr(std::min(payload.size(), path.size() + 1));
    switch (header.type) {
      case XS_READ:
        if (!values.contains(path)) break;
        put(XS_READ, header.req_id, values[path]);
        return;
      case XS_DIRECTORY: {
        std::string names;
        for (const auto& [key, value] : values) {
          if (!key.starts_with(path + "/")) continue;
          const std::string name =
              key.substr(path.size() + 1, key.find('/', path.size() + 1) - path.size() - 1);
          if (!("\0" + names).ends_with(name + '\0')) names += name + '\0';
        }
        if (names.empty() && !values.contains(path)) break;
        put(XS_DIRECTORY, header.req_id, names);
        return;
      }
      case XS_WRITE:
        written.push_back(path + "=" + rest);
        put(XS_WRITE, header.req_id, std::string_view("OK\0", 3));
        set(path, rest);
        return;
      case XS_WATCH:
        if (std::ranges::count(watches, path, &std::pair<std::string, std::string>::first) > 0) {
          put(XS_ERROR, header.req_id, std::string_view("EEXIST\0", 7));
          return;
        }
        watches.emplace_back(path, rest.substr(0, rest.find('\0')));
        put(XS_WATCH, header.req_id, std::string_view("OK\0", 3));
        fire(path);
        return;
      case XS_UNWATCH:
        std::erase_if(watches, [&](const auto& one) { return one.first == path; });
        put(XS_UNWATCH, header.req_id, std::string_view("OK\0", 3));
        return;
      default:
        put(XS_ERROR, header.req_id, std::string_view("EINVAL\0", 7));
        return;
    }
    put(XS_ERROR, header.req_id, std::string_view("ENOENT\0", 7));
  }

  PlayedHost& host_;
};

}  // namespace xen_target
