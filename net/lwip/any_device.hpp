// SPDX-License-Identifier: ISC
// net/lwip/any_device.hpp: a NetDevice whose type is forgotten, so that the stack is compiled once.
//
// Cost:    an indirect call for each frame; a frame costs hundreds of times that.

#pragma once

#include <optional>

#include "net/device.hpp"

namespace net::lwip {

class AnyDevice {
 public:
  virtual ~AnyDevice() = default;
  [[nodiscard]] virtual Mac mac() const = 0;
  [[nodiscard]] virtual std::size_t mtu_bytes() const = 0;
  [[nodiscard]] virtual Offload offload() const = 0;
  virtual bool send(const FrameOut& frame, Release release) = 0;
  virtual std::optional<FrameIn> receive() = 0;
  virtual void listen(base::Work* on_frames, base::Work* on_space) = 0;
};

// `device` must outlive it.
template <NetDevice D>
class DeviceOf final : public AnyDevice {
 public:
  explicit DeviceOf(D& device) noexcept : device_(device) {}
  [[nodiscard]] Mac mac() const override { return device_.mac(); }
  [[nodiscard]] std::size_t mtu_bytes() const override { return device_.mtu_bytes(); }
  [[nodiscard]] Offload offload() const override { return device_.offload(); }
  bool send(const FrameOut& frame, Release release) override {
    return device_.send(frame, release);
  }
  std::optional<FrameIn> receive() override { return device_.receive(); }
  void listen(base::Work* on_frames, base::Work* on_space) override {
    device_.listen(on_frames, on_space);
  }

 private:
  D& device_;
};

}  // namespace net::lwip
