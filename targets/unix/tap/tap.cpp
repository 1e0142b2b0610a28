// SPDX-License-Identifier: ISC
#include "targets/unix/tap/tap.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/descriptor.hpp"

namespace unix_target {

namespace {

using base::Descriptor;
using Failure = base::Failure<std::string>;

// virtio_net_hdr of linux/virtio_net.h, which is no C++; in the machine's byte order.
struct Header {
  std::uint8_t flags = 0;
  std::uint8_t segmentation = 0;
  std::uint16_t header_bytes = 0;
  std::uint16_t segment_bytes = 0;
  std::uint16_t checksum_from = 0;
  std::uint16_t checksum_field = 0;
};
static_assert(sizeof(Header) == 10);
constexpr std::uint8_t needs_checksum = 1;
constexpr std::uint8_t data_is_valid = 2;
constexpr std::uint8_t segments_of_tcp_ipv4 = 1;
constexpr std::uint8_t segments_of_tcp_ipv6 = 4;

constexpr const char* device_path = "/dev/net/tun";
constexpr std::size_t pieces_max = 64;

ifreq request_for(std::string_view name) {
  ifreq request{};
  std::copy(name.begin(), name.end(), request.ifr_name);
  return request;
}

std::string why(int error) { return std::strerror(error); }

// How a tap is made, for messages.
std::string how_to_make(std::string_view name) {
  const std::string tap(name);
  return "make it first: ip tuntap add " + tap + " mode tap user NAME && ip link set " + tap +
         " up";
}

// What the host knows of its side: its MTU, and a MAC from which ours is made.
void ask_host(OpenTap& tap) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(tap.name);
  // An interface of another network namespace is not found here: then the usual MTU is right.
  if (socket.get() >= 0 && ::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) {
    tap.mtu_bytes = static_cast<std::size_t>(request.ifr_mtu);
  }
  request = request_for(tap.name);
  net::Mac host{0x02, 0x63, 0x72, 0x75, 0x6e, 0x63};
  if (::ioctl(tap.fd, SIOCGIFHWADDR, &request) == 0) {
    std::memcpy(host.data(), request.ifr_hwaddr.sa_data, host.size());
  }
  tap.mac = host;
  tap.mac[0] = static_cast<std::uint8_t>((host[0] & 0xfcU) | 0x02U);  // unicast, of local make
  tap.mac[5] ^= 0x01;                                                 // and not the host's own
}

// Asks the kernel to fill a header in; it takes one with every frame that is sent then, and needs
// no leave to finish checksums and to cut segments. TUN_F_CSUM says what we take from it: frames
// whose checksum is not finished, but none that are larger than the wire's. A server is sent
// little.
bool offer_offload(int fd) {
  int size = sizeof(Header);
  return ::ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 && ::ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM) == 0;
}

// Without a header frames must be whole; what another program has asked of the kernel, as QEMU
// does, stays with the tap until somebody says so.
void refuse_offload(int fd) { ::ioctl(fd, TUNSETOFFLOAD, 0); }

// A frame that asks for it has its headers in its first piece, and its checksum is TCP's.
void ask_for_segments(Header& header, const net::FrameOut& frame) {
  constexpr std::size_t ethertype_at = 12;
  constexpr std::size_t tcp_length_at = 12;
  const base::Bytes first = frame.pieces.front();
  const bool is_ipv4 = first[ethertype_at] == std::byte{0x08};
  const std::size_t tcp = frame.checksum->from;
  const auto tcp_bytes = (std::to_integer<unsigned>(first[tcp + tcp_length_at]) >> 4U) * 4U;
  header.segmentation = is_ipv4 ? segments_of_tcp_ipv4 : segments_of_tcp_ipv6;
  header.header_bytes = static_cast<std::uint16_t>(tcp + tcp_bytes);
  header.segment_bytes = frame.segment_bytes;
}

base::Result<OpenTap, std::string> take_inherited(std::string_view number, std::string_view key) {
  OpenTap tap;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), tap.fd);
  ifreq request{};
  const std::string text = "--" + std::string(key) + "=fd:" + std::string(number);
  if (error != std::errc{} || end != number.data() + number.size() || tap.fd < 0) {
    return Failure(text + ": what follows fd: is the number of an open descriptor");
  }
  if (::ioctl(tap.fd, TUNGETIFF, &request) != 0) {
    return Failure(text + " is no open tap: " + why(errno));
  }
  if ((request.ifr_flags & IFF_TAP) == 0 || (request.ifr_flags & IFF_NO_PI) == 0) {
    return Failure(text + " was opened without IFF_TAP or without IFF_NO_PI");
  }
  tap.name = request.ifr_name;
  tap.has_header = (request.ifr_flags & IFF_VNET_HDR) != 0;
  if (tap.has_header && !offer_offload(tap.fd)) {
    return Failure(text + " refuses a header of 10 bytes: " + why(errno));
  }
  if (!tap.has_header) refuse_offload(tap.fd);
  const int flags = ::fcntl(tap.fd, F_GETFL);
  ::fcntl(tap.fd, F_SETFL, flags | O_NONBLOCK);
  ask_host(tap);
  return tap;
}

}  // namespace

base::Result<OpenTap, std::string> open_tap(std::string_view name, std::string_view key) {
  if (name.starts_with("fd:")) return take_inherited(name.substr(3), key);
  const std::string text(name);
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return Failure("--" + std::string(key) + " cannot be '" + text +
                   "': it takes the name of a tap, as tap0, or fd:N");
  }
  if (::if_nametoindex(text.c_str()) == 0) {
    return Failure("there is no tap '" + text + "'; " + how_to_make(name));
  }
  Descriptor device(::open(device_path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (device.get() < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
    return Failure(std::string(device_path) +
                   " is not there: load the kernel's module tun (modprobe tun), and in a container "
                   "pass the device in");
  }
  if (device.get() < 0) {
    return Failure("no permission to open " + std::string(device_path) + ": " + why(errno));
  }
  OpenTap tap;
  tap.fd = device.get();
  tap.name = text;
  for (const int header : {IFF_VNET_HDR, 0}) {
    ifreq request = request_for(name);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | header);
    if (::ioctl(tap.fd, TUNSETIFF, &request) == 0) {
      tap.has_header = header != 0 && offer_offload(tap.fd);
      if (header != 0 && !tap.has_header) continue;
      if (!tap.has_header) refuse_offload(tap.fd);
      ask_host(tap);
      tap.fd = device.release();
      return tap;
    }
    if (errno == EBUSY) {
      return Failure("the tap '" + text + "' is in use: another process has it open");
    }
    if (errno == EPERM || errno == EACCES) {
      return Failure("no permission for the tap '" + text +
                     "': run as root, or give it to this user: " + how_to_make(name));
    }
  }
  return Failure("'" + text + "' is no tap that can be opened: " + why(errno));
}

Tap::Tap(base::Loop& loop, base::Descriptors& descriptors, base::Log& log, const OpenTap& open)
    : loop_(loop),
      descriptors_(descriptors),
      log_(log),
      open_(open),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(frame_bytes_max)) {
  readable = writable = true;  // until a call says otherwise
  if (!descriptors_.watch(open_.fd, *this)) {
    throw std::system_error(errno, std::generic_category(), "watching the tap");
  }
}

Tap::~Tap() {
  descriptors_.forget(open_.fd, *this);
  ::close(open_.fd);
}

void Tap::listen(base::Work* on_frames, base::Work* on_space) noexcept {
  on_frames_ = on_frames;
  on_space_ = on_space;
}

void Tap::run() {
  if (readable && on_frames_ != nullptr) loop_.schedule(*on_frames_);
  if (writable && std::exchange(waits_for_space_, false) && on_space_ != nullptr) {
    loop_.schedule(*on_space_);
  }
}

void Tap::complain(const char* what, int error) {
  if (std::exchange(has_complained_, true)) return;
  const bool is_down = error == EIO || error == ENETDOWN;
  log_.warning({"tap ", open_.name, ": ", what, ": ", why(error),
                is_down ? "; is it up? ip link set " : "", is_down ? open_.name : "",
                is_down ? " up" : ""});
}

bool Tap::send(const net::FrameOut& frame, net::Release release) noexcept {
  std::array<iovec, pieces_max + 1> vectors;
  Header header{};
  std::size_t count = 0;
  std::size_t bytes = 0;
  if (open_.has_header) vectors[count++] = {&header, sizeof header};
  CHECK(frame.pieces.size() <= pieces_max);
  for (base::Bytes piece : frame.pieces) {
    vectors[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    bytes += piece.size();
  }
  if (frame.checksum) {
    header.flags = needs_checksum;
    header.checksum_from = frame.checksum->from;
    header.checksum_field = frame.checksum->field;
  }
  std::size_t bytes_max = open_.mtu_bytes + net::ethernet_header_bytes;
  if (frame.segment_bytes > 0) {
    CHECK(open_.has_header);
    ask_for_segments(header, frame);
    bytes_max = header.header_bytes + segmentation_bytes;
  }
  if (bytes > bytes_max) {
    ++dropped_count_;
    release();
    return true;
  }
  ssize_t put;
  do {
    put = ::writev(open_.fd, vectors.data(), static_cast<int>(count));
  } while (put < 0 && errno == EINTR);
  if (put < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
    writable = false;
    waits_for_space_ = true;
    return false;
  }
  if (put < 0) {
    ++dropped_count_;
    complain("a frame could not be sent", errno);
  } else {
    has_complained_ = false;
  }
  release();
  return true;
}

std::optional<net::FrameIn> Tap::receive() noexcept {
  while (readable) {
    const ssize_t got = ::read(open_.fd, buffer_.get(), frame_bytes_max);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      readable = false;
      if (errno != EAGAIN) complain("no frame can be received", errno);
      break;
    }
    auto size = static_cast<std::size_t>(got);
    const std::byte* at = buffer_.get();
    bool is_good = false;
    if (open_.has_header) {
      Header header;
      if (size < sizeof header) continue;
      std::memcpy(&header, at, sizeof header);
      // needs_checksum: the host's own stack made it and left the sum to the device.
      constexpr unsigned good = needs_checksum | data_is_valid;
      is_good = (header.flags & good) != 0;
      at += sizeof header;
      size -= sizeof header;
    }
    return net::FrameIn{{at, size}, is_good};
  }
  return {};
}

}  // namespace unix_target
