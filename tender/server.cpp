// SPDX-License-Identifier: ISC
#include "tender/server.hpp"

#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <ctime>

namespace tender {

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

// All of it, or what the console takes: a reader that has stopped, for a tenth of a second, or that
// has gone, does not stop the guest. What it leaves is lost: false. (The descriptor is shared,
// so it is not made non-blocking: a pipe that poll calls writable takes PIPE_BUF bytes.)
bool write_all(int fd, base::Bytes bytes) {
  constexpr timespec patience{.tv_sec = 0, .tv_nsec = 100'000'000};
  static bool is_stuck = false;  // not waited for, until it takes something
  while (!bytes.empty()) {
    pollfd wait{fd, POLLOUT, 0};
    const timespec none{};
    const int ready = ::ppoll(&wait, 1, is_stuck ? &none : &patience, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    is_stuck = ready == 0;
    if (is_stuck) return false;
    const ssize_t put = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

solo5::Answer answer_of_error() {
  return errno == EAGAIN || errno == ENOBUFS ? solo5::Answer::again : solo5::Answer::unspecified;
}

}  // namespace

void Server::trace(const char* call, std::uint64_t handle, std::uint64_t bytes,
                   solo5::Answer answer) const {
  if (!reports_.each) return;
  std::array<char, 128> line{};
  const int count =
      std::snprintf(line.data(), line.size(), "hvt: %s, handle %llu, %llu bytes: %d\n", call,
                    static_cast<unsigned long long>(handle), static_cast<unsigned long long>(bytes),
                    static_cast<int>(answer));
  static_cast<void>(write_all(
      STDERR_FILENO, std::as_bytes(std::span(line)).first(static_cast<std::size_t>(count))));
}

// One for each kind of request; a status when the guest has ended. Answers are written where
// `decode` has found that they may be.
struct Server::Visitor {
  Server& server;

  std::optional<int> operator()(const WalltimeRequest& request) const {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const solo5::Walltime out{static_cast<std::uint64_t>(now.tv_sec) * second_ns +
                              static_cast<std::uint64_t>(now.tv_nsec)};
    static_cast<void>(server.memory_.copy_out(request.at, out));
    server.trace("walltime", 0, 0, solo5::Answer::ok);
    return std::nullopt;
  }

  std::optional<int> operator()(const PutsRequest& request) const {
    server.lost_.write(base::text_of(request.text), [](std::string_view part) noexcept {
      return write_all(STDOUT_FILENO, base::bytes_of(part));
    });
    server.trace("puts", 0, request.text.size(), solo5::Answer::ok);
    return std::nullopt;
  }

  std::optional<int> operator()(const PollRequest& request) const {
    std::array<pollfd, solo5::manifest_entries_max + 1> waits{};
    std::array<std::size_t, solo5::manifest_entries_max + 1> handles{};
    std::size_t count = 0;
    for (std::size_t i = 1; i < server.files_.size(); ++i) {
      if (server.files_[i] < 0 || server.manifest_[i].type != solo5::DeviceType::net) continue;
      handles.at(count) = i;
      waits.at(count++) = {server.files_[i], POLLIN, 0};
    }
    const std::size_t devices = count;
    if (!server.has_told_) waits.at(count++) = {server.wake_, POLLIN, 0};
    timespec timeout{};
    timeout.tv_sec = static_cast<time_t>(request.call.timeout_ns / second_ns);
    timeout.tv_nsec = static_cast<long>(request.call.timeout_ns % second_ns);
    // A signal ends it early, which a guest sees as nothing ready.
    const int found = ::ppoll(waits.data(), count, &timeout, nullptr);
    solo5::Poll out = request.call;
    out.ready = 0;
    out.count = 0;
    for (std::size_t i = 0; found > 0 && i < devices; ++i) {
      if (waits.at(i).revents == 0) continue;
      out.ready |= std::uint64_t{1} << handles.at(i);
      ++out.count;
    }
    if (server.shall_tell()) {
      server.has_told_ = true;
      out.ready |= solo5::ready_to_stop;
      ++out.count;
    }
    static_cast<void>(server.memory_.copy_out(request.at, out));
    server.trace("poll", out.ready, request.call.timeout_ns, solo5::Answer::ok);
    return std::nullopt;
  }

  std::optional<int> operator()(const BlockWriteRequest& request) const {
    return block("block_write", request.at, request.call, [&](int fd, std::size_t done) {
      const base::Bytes rest = request.from.subspan(done);
      return ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(request.call.offset + done));
    });
  }
  std::optional<int> operator()(const BlockReadRequest& request) const {
    return block("block_read", request.at, request.call, [&](int fd, std::size_t done) {
      const base::MutableBytes rest = request.to.subspan(done);
      return ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(request.call.offset + done));
    });
  }

  std::optional<int> operator()(const NetWriteRequest& request) const {
    solo5::NetTransfer out = request.call;
    out.answer = server.write(request);
    static_cast<void>(server.memory_.copy_out(request.at, out));
    server.trace("net_write", out.handle, out.bytes, out.answer);
    return std::nullopt;
  }
  std::optional<int> operator()(const NetReadRequest& request) const {
    solo5::NetTransfer out = request.call;
    const auto [answer, bytes] = server.read(request);
    out.answer = answer;
    if (answer == solo5::Answer::ok) out.bytes = bytes;
    static_cast<void>(server.memory_.copy_out(request.at, out));
    server.trace("net_read", out.handle, out.bytes, out.answer);
    return std::nullopt;
  }

  std::optional<int> operator()(const HaltRequest& request) const {
    server.trace("halt", 0, 0, solo5::Answer::ok);
    return request.call.status;
  }

  template <class Transfer>
  std::optional<int> block(const char* name, std::uint64_t at, const solo5::BlockTransfer& call,
                           const Transfer& transfer) const {
    solo5::BlockTransfer out = call;
    out.answer = block_answer(server.manifest_[call.handle].block, call);
    for (std::size_t done = 0; out.answer == solo5::Answer::ok && done < call.bytes;) {
      const ssize_t moved = transfer(server.files_[call.handle], done);
      if (moved < 0 && errno == EINTR) continue;
      if (moved <= 0) {
        out.answer = solo5::Answer::unspecified;
        break;
      }
      done += static_cast<std::size_t>(moved);
    }
    static_cast<void>(server.memory_.copy_out(at, out));
    server.trace(name, call.handle, call.bytes, out.answer);
    return std::nullopt;
  }
};

// A frame that the host does not take is lost, as on any wire, and the guest lives on.
solo5::Answer Server::write(const NetWriteRequest& request) const {
  const int fd = files_[request.call.handle];
  const ssize_t put = ::write(fd, request.frame.data(), request.frame.size());
  return put >= 0 ? solo5::Answer::ok : answer_of_error();
}

std::pair<solo5::Answer, std::uint64_t> Server::read(const NetReadRequest& request) const {
  const int fd = files_[request.call.handle];
  const ssize_t got = ::read(fd, request.to.data(), request.to.size());
  if (got < 0) return {answer_of_error(), 0};
  return {solo5::Answer::ok, static_cast<std::uint64_t>(got)};
}

base::Result<std::optional<int>, std::string> Server::serve_ring() {
  const auto count = ring_.waiting();
  if (!count) return base::failure(count.error());
  trace("kick", 0, *count, solo5::Answer::ok);
  std::uint64_t empty = 0;  // devices that had nothing: they are not asked again
  for (std::uint32_t left = *count; left > 0; --left) {
    const solo5::RingEntry entry = ring_.take();
    const auto request = decode_entry(memory_, manifest_, entry);
    if (!request) return base::failure(request.error());
    if (const auto* out = std::get_if<NetWriteRequest>(&*request)) {
      trace("ring_write", entry.handle, entry.bytes, write(*out));
      continue;
    }
    const std::uint64_t device = std::uint64_t{1} << entry.handle;
    std::pair<solo5::Answer, std::uint64_t> got{solo5::Answer::again, 0};
    if ((empty & device) == 0) got = read(std::get<NetReadRequest>(*request));
    if (got.first == solo5::Answer::again) empty |= device;
    if (!ring_.answer(entry.id, got.first, static_cast<std::uint32_t>(got.second))) {
      return base::failure(std::string("the ring: there is no room for an answer"));
    }
    trace("ring_read", entry.handle, got.second, got.first);
  }
  return std::optional<int>();
}

void Server::say_counts() const {
  if (!reports_.counts) return;
  constexpr std::array<const char*, kicks + 1> names{
      nullptr,      "walltime",  "puts",     "poll", "block_write",
      "block_read", "net_write", "net_read", "halt", "kick"};
  std::string line = "hvt: the guest's hypercalls:";
  for (std::size_t i = 1; i < counts_.size(); ++i) {
    if (counts_.at(i) != 0) line += " " + std::to_string(counts_.at(i)) + " " + names.at(i);
  }
  line += '\n';
  static_cast<void>(write_all(STDERR_FILENO, base::bytes_of(line)));
}

base::Result<std::optional<int>, std::string> Server::serve(const Access& access) {
  const bool is_kick = ring_.is_there() && access.port == solo5::ring_kick_port && access.is_out &&
                       access.bytes == sizeof(std::uint32_t) && access.count == 1;
  if (is_kick) {
    ++counts_.at(kicks);
    return serve_ring();
  }
  const auto request = decode(memory_, manifest_, access);
  if (!request) return base::failure(request.error());
  ++counts_.at(access.port - solo5::port_base);
  const std::optional<int> status = std::visit(Visitor{*this}, *request);
  if (status) say_counts();
  return status;
}

}  // namespace tender
