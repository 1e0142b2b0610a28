// SPDX-License-Identifier: ISC
#include "http/h2/session.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <new>

namespace http::h2 {
namespace {

Stream* stream_of(nghttp2_session* session, std::int32_t id) {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

// Less of a body in a frame than this, with more to come, is no progress.
constexpr std::size_t small_frame_bytes = 256;

// ---- memory

Blocks& blocks_of(void* user) { return *static_cast<Blocks*>(user); }
void* allocate(std::size_t bytes, void* user) { return blocks_of(user).allocate(bytes); }
void release(void* memory, void* user) { blocks_of(user).release(memory); }
void* allocate_zeros(std::size_t count, std::size_t bytes, void* user) {
  return blocks_of(user).allocate_zeros(count, bytes);
}
void* reallocate(void* memory, std::size_t bytes, void* user) {
  return blocks_of(user).reallocate(memory, bytes);
}

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

struct Session::Callbacks {
  static SessionEvents& events_of(void* user) { return static_cast<Session*>(user)->events_; }

  static int begin_head(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // a trailer
    const std::int32_t id = frame->hd.stream_id;
    Stream* stream = events_of(user).open(id);
    if (stream == nullptr) {
      const int failed =
          nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      return failed == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    nghttp2_session_set_stream_user_data(session, id, stream);
    stream->has_priority = static_cast<Session*>(user)->recent_.last_was_prioritized();
    return 0;
  }
  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                    std::uint8_t, void* user) {
    if (Stream* stream = stream_of(session, frame->hd.stream_id)) {
      events_of(user).take_field(*stream, text_of(name, name_bytes), text_of(value, value_bytes));
    }
    return 0;
  }
  // A field that nghttp2 would drop makes the request malformed (RFC 9113 section 8.1.1).
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*,
                            std::size_t, const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  static int body(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t*,
                  std::size_t bytes, void* user) {
    if (Stream* stream = stream_of(session, id)) events_of(user).take_body(*stream, bytes);
    return 0;
  }
  static int frame_came(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    SessionEvents& events = events_of(user);
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      events.ping_was_answered();
    }
    if (frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 &&
        frame->hd.length - frame->data.padlen < small_frame_bytes) {
      events.count(FrameKind::control);
    }
    if (frame->hd.type == NGHTTP2_PRIORITY_UPDATE) {
      const auto& update = *static_cast<nghttp2_ext_priority_update*>(frame->ext.payload);
      if (update.stream_id == 0) {
        events.broke(ErrorCode::protocol_error);  // RFC 9218 section 7.1
      } else if (Stream* stream = stream_of(session, update.stream_id)) {
        stream->has_priority = true;
      } else {
        static_cast<Session*>(user)->recent_.prioritize(update.stream_id);
      }
    }
    const bool is_of_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    Stream* stream = is_of_stream ? stream_of(session, frame->hd.stream_id) : nullptr;
    if (stream == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      events.end_head(*stream);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) events.end_request(*stream);
    return 0;
  }

  // Frames of unknown types are dropped (RFC 9113 section 5.5); begin_frame has counted them.
  static int extension_chunk(nghttp2_session*, const nghttp2_frame_hd*, const std::uint8_t*,
                             std::size_t, void*) {
    return NGHTTP2_ERR_CANCEL;
  }
  static int extension(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) {
    return NGHTTP2_ERR_CANCEL;
  }

  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      const std::uint32_t why = frame->rst_stream.error_code;
      if (why == NGHTTP2_REFUSED_STREAM) {
        // Not the peer's fault, but it costs us work as any frame does.
        events_of(user).count(FrameKind::control);
      } else if (why != NGHTTP2_NO_ERROR) {
        events_of(user).count(FrameKind::reset_sent);
      }
      return 0;
    }
    const bool is_of_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!is_of_stream || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (Stream* stream = stream_of(session, frame->hd.stream_id)) events_of(user).sent(*stream);
    return 0;
  }
  static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    if (Stream* stream = stream_of(session, id)) {
      nghttp2_session_set_stream_user_data(session, id, nullptr);
      events_of(user).closed(*stream);
    }
    return 0;
  }

  static ssize_t read(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t bytes_max,
                      std::uint32_t* flags, nghttp2_data_source* source, void* user) {
    bool is_last = false;
    const std::size_t bytes =
        events_of(user).pledge(*static_cast<Stream*>(source->ptr), bytes_max, is_last);
    if (bytes == 0) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (is_last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(bytes);
  }
  static int send(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_head, std::size_t,
                  nghttp2_data_source* source, void* user) {
    constexpr std::size_t frame_head_bytes = 9;
    auto& self = *static_cast<Session*>(user);
    const base::Bytes head = base::bytes_of(text_of(frame_head, frame_head_bytes));
    const bool given = self.events_.give(*static_cast<Stream*>(source->ptr), head, *self.batch_);
    return given ? 0 : NGHTTP2_ERR_WOULDBLOCK;
  }

  // Null: there is no memory.
  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* all = nullptr;
    if (nghttp2_session_callbacks_new(&all) != 0) return nullptr;
    nghttp2_session_callbacks_set_on_begin_headers_callback(all, begin_head);
    nghttp2_session_callbacks_set_on_header_callback(all, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(all, invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(all, frame_came);
    nghttp2_session_callbacks_set_on_frame_send_callback(all, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(all, stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(all, send);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(all, extension_chunk);
    nghttp2_session_callbacks_set_unpack_extension_callback(all, extension);
    return all;
  }
};

namespace {

// Frames that wait to be sent are bounded: acknowledgements here, others by the Allowance.
constexpr std::size_t acknowledgements_max = 100;

nghttp2_option* make_options() {
  nghttp2_option* option = nullptr;
  if (nghttp2_option_new(&option) != 0) return nullptr;
  nghttp2_option_set_max_outbound_ack(option, acknowledgements_max);
  nghttp2_option_set_no_closed_streams(option, 1);
  for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= 0xff; ++type) {
    if (type == NGHTTP2_PRIORITY_UPDATE) continue;
    nghttp2_option_set_user_recv_extension_type(option, static_cast<std::uint8_t>(type));
  }
  nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
  return option;
}

}  // namespace

std::unique_ptr<Session> Session::make(SessionEvents& events, Allowance& allowance,
                                       const Limits& limits) noexcept {
  std::unique_ptr<Session> made(new (std::nothrow) Session(events, allowance));
  if (made == nullptr) return nullptr;
  nghttp2_mem memory{&made->blocks_, allocate, release, allocate_zeros, reallocate};
  nghttp2_session_callbacks* callbacks = Callbacks::make();
  nghttp2_option* option = make_options();
  int failed = -1;
  if (callbacks != nullptr && option != nullptr) {
    failed = nghttp2_session_server_new3(&made->session_, callbacks, made.get(), option, &memory);
  }
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_list_bytes_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  if (failed == 0) {
    failed = nghttp2_submit_settings(made->session_, NGHTTP2_FLAG_NONE, settings.data(),
                                     settings.size());
  }
  return failed == 0 ? std::move(made) : nullptr;
}

// False: it breaks a rule. nghttp2 drops what comes on a stream that it has forgotten. It must, if
// the peer could not know that we had reset it; not if the peer had ended it, or has skipped it.
bool Session::begin_frame(const FrameHead& head) noexcept {
  const auto broke = [this](ErrorCode rule) {
    events_.broke(rule);
    return false;
  };
  if (head.type == NGHTTP2_RST_STREAM) {
    recent_.end(head.stream);
    events_.count(FrameKind::reset_received);
    return true;
  }
  if (head.type != NGHTTP2_HEADERS && head.type != NGHTTP2_DATA) {
    events_.count(FrameKind::control);
    // nghttp2 does not look at it, since RFC 7540's priorities are off.
    const bool is_misplaced = head.type == NGHTTP2_PRIORITY && head.stream == 0;
    return is_misplaced ? broke(ErrorCode::protocol_error) : true;
  }
  const bool is_head = head.type == NGHTTP2_HEADERS;
  if (head.stream % 2 == 0) return true;  // nghttp2 says what is wrong
  using State = RecentStreams::State;
  if (recent_.is_new(head.stream)) {
    if (is_head) recent_.open(head.stream);  // the stream is counted itself
  } else {
    const State state = recent_.state_of(head.stream);
    if (state == State::ended) return broke(ErrorCode::stream_closed);
    if (state == State::skipped) {
      return broke(is_head ? ErrorCode::protocol_error : ErrorCode::stream_closed);
    }
    // Of others frame_came knows what is in them.
    if (is_head || stream_of(session_, head.stream) == nullptr) events_.count(FrameKind::control);
  }
  if ((head.flags & NGHTTP2_FLAG_END_STREAM) != 0) recent_.end(head.stream);
  return true;
}

Session::~Session() {
  if (!blocks_.has_failed()) nghttp2_session_del(session_);
}

Session::Received Session::receive(base::Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const FrameWalk::Step step = walk_.next(bytes);
    bytes = bytes.subspan(step.bytes.size());
    if (step.head && !begin_frame(*step.head)) return Received::well;
    const auto* data = reinterpret_cast<const std::uint8_t*>(step.bytes.data());
    const ssize_t taken = nghttp2_session_mem_recv(session_, data, step.bytes.size());
    if (blocks_.has_failed()) return Received::broken;
    if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) return Received::alien;
    if (taken == NGHTTP2_ERR_FLOODED || taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
      return Received::too_much;
    }
    if (taken < 0) return Received::broken;
  }
  return Received::well;
}

bool Session::fill(Batch& batch) noexcept {
  batch_ = &batch;
  for (;;) {
    if (!left_.empty()) {
      if (left_.size() > batch.capacity()) {
        // Larger than the whole buffer: by itself, where nghttp2 has it.
        if (!batch.is_empty()) return true;
        batch.refer(std::exchange(left_, {}), false);
        return true;
      }
      if (!batch.has_room(left_.size())) return true;
      batch.copy(std::exchange(left_, {}));
    }
    if (!batch.has_room(1)) return true;
    const std::uint8_t* frame = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &frame);
    if (size < 0 || blocks_.has_failed()) return false;
    if (size == 0) return true;
    left_ = base::bytes_of(text_of(frame, static_cast<std::size_t>(size)));
  }
}

bool Session::wants_write() const noexcept {
  return !left_.empty() || nghttp2_session_want_write(session_) != 0;
}
bool Session::wants_read() const noexcept { return nghttp2_session_want_read(session_) != 0; }

bool Session::answer(Stream& stream, const FieldList& head, bool has_body) noexcept {
  std::array<nghttp2_nv, FieldList::fields_max> fields;
  std::size_t count = 0;
  for (const NameValue& each : head.fields()) {
    const auto bytes = [](std::string_view text) {
      return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    };
    fields[count++] = {bytes(each.name), bytes(each.value), each.name.size(), each.value.size(),
                       NGHTTP2_NV_FLAG_NONE};
  }
  nghttp2_data_provider body{{.ptr = &stream}, Callbacks::read};
  return nghttp2_submit_response(session_, stream.id, fields.data(), count,
                                 has_body ? &body : nullptr) == 0;
}

bool Session::resume(const Stream& stream) noexcept {
  const int failed = nghttp2_session_resume_data(session_, stream.id);
  return failed == 0 || failed == NGHTTP2_ERR_INVALID_ARGUMENT;  // nothing was deferred
}

bool Session::reset(const Stream& stream, ErrorCode why) noexcept {
  return nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id,
                                   static_cast<std::uint32_t>(why)) == 0;
}

void Session::set_urgency(const Stream& stream, Urgency urgency) noexcept {
  const nghttp2_extpri priority{urgency.level, urgency.incremental ? 1 : 0};
  static_cast<void>(
      nghttp2_session_change_extpri_stream_priority(session_, stream.id, &priority, 0));
}

bool Session::announce_end() noexcept {
  return nghttp2_submit_shutdown_notice(session_) == 0 &&
         nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr) == 0;
}

bool Session::end_after_last() noexcept {
  return nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                               nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                               nullptr, 0) == 0;
}

bool Session::terminate(ErrorCode why) noexcept {
  return nghttp2_session_terminate_session(session_, static_cast<std::uint32_t>(why)) == 0;
}

}  // namespace http::h2
