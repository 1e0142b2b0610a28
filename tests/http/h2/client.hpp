// SPDX-License-Identifier: ISC
// tests/http/h2/client.hpp: an honest HTTP/2 client without I/O: nghttp2's own.
//
// Used by: the tests of HTTP/2, for what clients do; raw_frames.hpp is for what they must not do.

#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace h2_test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Response {
  std::string status;
  Fields fields;
  std::string body;
  bool is_whole = false;                 // its last frame has come
  std::int64_t reset = -1;               // by RST_STREAM, with this code
  std::vector<std::size_t> data_frames;  // their sizes

  [[nodiscard]] std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "(none)";
  }
};

struct ClientOptions {
  std::uint32_t initial_window = 1U << 20U;
  bool auto_window = true;  // opens windows again as bytes come
};

class Client {
 public:
  explicit Client(ClientOptions options = {}) {
    nghttp2_session_callbacks* all = nullptr;
    nghttp2_session_callbacks_new(&all);
    nghttp2_session_callbacks_set_on_header_callback(all, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(all, frame_came);
    nghttp2_session_callbacks_set_on_stream_close_callback(all, closed);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, options.auto_window ? 0 : 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
    nghttp2_session_client_new2(&session_, all, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(all);
    const nghttp2_settings_entry wanted[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.initial_window}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, wanted, 2);
    if (options.auto_window) {
      nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 1 << 24);
    }
  }
  ~Client() { nghttp2_session_del(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Names of pseudo-fields included. The request ends behind the body, unless it is `open`.
  std::int32_t ask(const Fields& fields, std::string body = "", bool open = false) {
    std::vector<nghttp2_nv> all;
    for (const auto& [name, value] : fields) {
      const auto bytes = [](const std::string& text) {
        return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
      };
      all.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{{.ptr = nullptr}, read_body};
    const bool has_body = !body.empty() || open;
    const std::int32_t id = nghttp2_submit_request(session_, nullptr, all.data(), all.size(),
                                                   has_body ? &provider : nullptr, nullptr);
    if (id <= 0) throw std::runtime_error("nghttp2 takes no more requests");
    if (has_body) bodies_[id] = {std::move(body), open};
    responses[id];
    return id;
  }
  std::int32_t get(std::string_view path, const Fields& more = {}) {
    Fields fields{{":method", "GET"},
                  {":scheme", "https"},
                  {":authority", "example.org"},
                  {":path", std::string(path)}};
    fields.insert(fields.end(), more.begin(), more.end());
    return ask(fields);
  }
  void reset(std::int32_t id, std::uint32_t why = NGHTTP2_CANCEL) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, why);
  }
  // Says how much more it takes; of stream 0: of the connection.
  void open_window(std::int32_t id, std::int32_t bytes) {
    nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, id, bytes);
  }
  void prioritize(std::int32_t id, std::string value) {
    nghttp2_submit_priority_update(session_, NGHTTP2_FLAG_NONE, id,
                                   reinterpret_cast<const std::uint8_t*>(value.data()),
                                   value.size());
  }

  // What it has to send.
  std::string give() {
    std::string out;
    for (;;) {
      const std::uint8_t* bytes = nullptr;
      const auto size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
  }
  void take(std::string_view bytes) {
    const ssize_t taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("the server broke HTTP/2");
    }
  }

  std::map<std::int32_t, Response> responses;
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways;  // last stream, code
  std::vector<std::int32_t> order;                              // of streams, by DATA frame
  std::map<std::uint16_t, std::uint32_t> settings;
  int ping_answers = 0;
  int settings_answers = 0;

 private:
  static Client& of(void* user) { return *static_cast<Client*>(user); }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    Response& response = of(user).responses[frame->hd.stream_id];
    std::string key(reinterpret_cast<const char*>(name), name_size);
    std::string text(reinterpret_cast<const char*>(value), value_size);
    if (key == ":status") {
      response.status = text;
    } else {
      response.fields.emplace_back(std::move(key), std::move(text));
    }
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    of(user).responses[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int frame_came(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Client& self = of(user);
    const auto& head = frame->hd;
    if (head.type == NGHTTP2_DATA) {
      self.responses[head.stream_id].data_frames.push_back(head.length);
      self.order.push_back(head.stream_id);
    }
    if ((head.type == NGHTTP2_DATA || head.type == NGHTTP2_HEADERS) &&
        (head.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      self.responses[head.stream_id].is_whole = true;
    }
    if (head.type == NGHTTP2_RST_STREAM) {
      self.responses[head.stream_id].reset = frame->rst_stream.error_code;
    }
    if (head.type == NGHTTP2_GOAWAY) {
      self.goaways.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
    }
    const bool is_answer = (head.flags & NGHTTP2_FLAG_ACK) != 0;
    if (head.type == NGHTTP2_PING && is_answer) ++self.ping_answers;
    if (head.type == NGHTTP2_SETTINGS && is_answer) ++self.settings_answers;
    if (head.type == NGHTTP2_SETTINGS) {
      for (std::size_t i = 0; i < frame->settings.niv; ++i) {
        self.settings[static_cast<std::uint16_t>(frame->settings.iv[i].settings_id)] =
            frame->settings.iv[i].value;
      }
    }
    return 0;
  }
  static int closed(nghttp2_session*, std::int32_t, std::uint32_t, void*) { return 0; }
  static ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* out,
                           std::size_t size_max, std::uint32_t* flags, nghttp2_data_source*,
                           void* user) {
    auto& [body, is_open] = of(user).bodies_[id];
    if (body.empty() && is_open) return NGHTTP2_ERR_DEFERRED;
    const std::size_t size = body.copy(reinterpret_cast<char*>(out), size_max);
    body.erase(0, size);
    if (body.empty() && !is_open) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::pair<std::string, bool>> bodies_;  // and whether they go on
};

// Hands bytes over between a client and a server's wire until neither has any.
template <class World, class Wire>
void talk(World& world, Wire& wire, Client& client) {
  for (int i = 0; i < 1000; ++i) {
    const std::string out = client.give();
    if (!out.empty()) wire.push(out);
    world.settle();
    const std::string in = wire.take();
    if (!in.empty()) client.take(in);
    world.settle();
    if (in.empty() && out.empty()) return;
  }
  throw std::runtime_error("the two talk without end");
}

}  // namespace h2_test
