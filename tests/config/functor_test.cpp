// SPDX-License-Identifier: ISC
// tests/config/functor_test.cpp: tests as functors: a job that asks a server, applied by the
// same combinators as the server itself.
//
// Method: one appliance on simulated time has two stores, two stacks and four jobs: an http::Server
// on lwIP over a device in memory that faces itself (tests/net/mirror.hpp), another on a stack
// without a network, and beside each the test job, which asks over the same stack. lwIP, the device
// and the stores are shared devices of the graph.

#include <gtest/gtest.h>

#include "config/boot.hpp"
#include "config/context.hpp"
#include "config/describe.hpp"
#include "config/graph.hpp"
#include "config/instances.hpp"
#include "config/parts/http_job.hpp"
#include "config/parts/modules.hpp"
#include "kv/memory/memory.hpp"
#include "net/lwip/lwip.hpp"
#include "tests/net/lwip_world.hpp"
#include "tests/net/memory_flow.hpp"

namespace {

using namespace config;
using namespace std::chrono_literals;

// What a target would offer.
struct Platform {
  base::Loop& loop;
  base::Entropy& entropy;
  base::Console& console;
  base::Log& log;
  unsigned thread_index = 0;
  unsigned asking = 0;  // test jobs that have not ended
};
using TestContext = Context<Platform>;

// net_device: its frames come back to it as if from another host.
class FacingItself {
 public:
  explicit FacingItself(base::Loop& loop) : device(loop, net::mirror_ends.real, 1500) {
    device.carry = [this](std::string frame) {
      const std::string back = mirror_.reflect(std::move(frame));
      if (!back.empty()) device.arrive(back);
    };
  }
  net::MemoryDevice device;

 private:
  net::Mirror mirror_{net::mirror_ends};
};
struct DeviceModule {
  static constexpr std::string_view name = "net_device";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = std::same_as<T, FacingItself>;
};
inline constexpr Typ<DeviceModule> net_device;
struct ConnectDevice {
  FacingItself operator()(TestContext& context) const {
    return FacingItself(context.platform.loop);
  }
};
constexpr auto nic = impl<FacingItself>("nic", net_device, ConnectDevice{});

template <class Device>
struct LwipOn {
  using type = net::Lwip;
};
template <class... M>
using LwipOf = typename LwipOn<M...>::type;
struct ConnectLwipOn {
  net::Lwip operator()(TestContext& context, FacingItself& below) const {
    Platform& platform = context.platform;
    return {platform.loop, platform.entropy, platform.log, below.device, net::mirror_options()};
  }
};
constexpr auto lwip = foreign<LwipOf>("net::Lwip", net_device >> stack, ConnectLwipOn{});

struct ConnectMemoryStack {
  net::MemoryStack operator()(TestContext& context) const {
    return net::MemoryStack(context.platform.loop);
  }
};
constexpr auto no_network = impl<net::MemoryStack>("memory", stack, ConnectMemoryStack{});

template <Text text>
struct ConnectStore {
  kv::Memory operator()(TestContext&) const {
    kv::Memory store;
    store.put("index.html", text.view());
    return store;
  }
};
template <Text text>
constexpr auto page() {
  return impl<kv::Memory>(text.view(), kv_ro, ConnectStore<text>{});
}

constexpr Key<Port> service_port{
    .name = "service", .section = "TEST", .doc = "The first", .fallback = 80};
constexpr Key<Port> management_port{
    .name = "management", .section = "TEST", .doc = "The second", .fallback = 8081};

// job: asks for "/" and expects a page; fails the test that runs it.
template <class Stack>
class Asks {
 public:
  Asks(Stack& stack, Platform& platform, std::uint16_t port, std::string_view expected)
      : stack_(stack), platform_(platform), port_(port), expected_(expected) {
    ++platform_.asking;
  }
  base::Task<void> run() {
    auto flow = co_await stack_.connect(net::ipv4(10, 0, 0, 2, port_), 20s);
    if (flow) {
      const std::string_view request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      const net::Piece piece{base::bytes_of(request)};
      auto written = co_await flow->write({&piece, 1}, 20s);
      EXPECT_TRUE(written.has_value());
      while (true) {
        auto read = co_await flow->read(65536, 20s);
        if (!read || read->empty()) break;
        answer_ += base::text_of(*read);
      }
    }
    EXPECT_TRUE(answer_.starts_with("HTTP/1.1 200 OK\r\n")) << answer_;
    EXPECT_TRUE(answer_.ends_with(expected_)) << answer_;
    --platform_.asking;
  }
  void drain() {}

 private:
  Stack& stack_;
  Platform& platform_;
  std::uint16_t port_;
  std::string_view expected_;
  std::string answer_;
};
template <const Key<Port>& port, Text expected>
struct ConnectAsks {
  static constexpr std::tuple keys{&port};
  template <class Stack>
  Asks<Stack> operator()(TestContext& context, Stack& stack) const {
    return {stack, context.platform, context.boot.value(port), expected.view()};
  }
};
template <class... M>
using AsksOf = Asks<M...>;
template <const Key<Port>& port, Text expected>
constexpr auto asks() {
  return foreign<AsksOf>("asks", stack >> job, ConnectAsks<port, expected>{});
}

template <class... M>
using ServerOf = HttpJob<M...>;
template <const Key<Port>& port>
constexpr auto serves() {
  return foreign<ServerOf>("http::Server", source >> server_stack >> job, ConnectHttpJob<port>{});
}

constexpr auto app = jobs(serves<service_port>()(page<"the site">(), lwip(nic)),
                          asks<service_port, "the site">()(lwip(nic)),
                          serves<management_port>()(page<"the notes">(), no_network),
                          asks<management_port, "the notes">()(no_network));

// What models more is accepted where less is wanted, and not the other way round.
static_assert(refines<KvRoModule, SourceModule>() && refines<KvRoModule, KvRoModule>());
static_assert(refines<StackModule, ServerStackModule>());
static_assert(!refines<SourceModule, KvRoModule>() && !refines<StackModule, SourceModule>());

constexpr std::tuple of_no_target{};

TEST(Functors, TwoStacksAndTwoStoresAnswerTheirTestJobsSideBySide) {
  base::SimulatedTime time;
  base::Loop loop(time, time);
  net::SeededEntropy entropy(1);
  net::Lines lines;
  base::Log log(lines);
  Platform platform{loop, entropy, lines, log};
  const auto boot = BootLine::parse({}, keys_of<of_no_target, app>);
  TestContext context{platform, *boot};
  loop.on_exception = [](std::string_view what) noexcept { ADD_FAILURE() << what; };
  Instances<std::remove_cvref_t<decltype(app)>, TestContext> instances(context);
  EXPECT_EQ(std::tuple_size_v<DevicesOf<decltype(app)>>, 9U)
      << "lwIP and its device are there once";
  instances.for_each_job([&](auto& one) { loop.spawn(one.run()); });
  const base::Instant bound(1min);
  while (platform.asking > 0 && loop.now() < bound) loop.turn(bound);
  EXPECT_EQ(platform.asking, 0U) << lines.text;
  instances.for_each_job([](auto& one) { one.drain(); });
  while (loop.spawned_count() > 0 && loop.now() < base::Instant(1h)) {
    loop.turn(base::Instant(1h));
  }
  EXPECT_EQ(loop.spawned_count(), 0U);
}

}  // namespace
