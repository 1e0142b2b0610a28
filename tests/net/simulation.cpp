// SPDX-License-Identifier: ISC
// tests/net/simulation.cpp: the server on our own stack behind a bad wire, in simulated time.
//
//   simulation                 as many seeds as ctest runs
//   simulation --seeds N       seeds 1 to N
//   simulation --seed N        one seed again, and what its wire was and did
//   simulation --seed N --pcap FILE   with every frame
//
// Method:  http::Server over kv::Memory over net::Lwip, with TLS between in every fifth seed;
//          clients on the same stack, which meets itself in a Mirror over a LossyDevice. A seed
//          chooses the wire (loss up to 20 %, bursts, delay up to 300 ms, jitter, duplicates,
//          changed and added bytes, MTU 576 to 9,000, a path whose MTU drops in the middle), the
//          files, and the clients: some pipeline, some are slow, some leave in the middle. Every
//          byte that a client is given is compared; each client that stays must get each file.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/server.hpp"
#include "kv/memory/memory.hpp"
#include "net/lwip/lwip.hpp"
#include "net/lwip/path_mtu.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/net/lossy_device.hpp"
#include "tests/net/lwip_world.hpp"
#include "tests/net/memory_device.hpp"
#include "tests/net/mirror.hpp"
#include "tests/net/router.hpp"
#include "tests/net/simulation_channel.hpp"

namespace {

using base::Task;
using namespace std::chrono_literals;

// kv::Memory, whose values stay: so bodies are sent by reference, as an image's are.
class LastingMemory : public kv::Memory {
 public:
  static constexpr bool values_last = true;
};
static_assert(kv::KvRo<LastingMemory>);

struct File {
  std::string name;
  std::string bytes;
};

struct Fetch {
  const std::vector<File>* files;
  bool is_ipv6 = false;
  std::size_t read_bytes_max = 65536;
  base::Duration pause{};               // between reads
  std::size_t leaves_after = SIZE_MAX;  // so many bytes, without a word
  bool done = false;
  unsigned attempts = 0;
};

[[noreturn]] void fail(std::uint64_t seed, const std::string& what) {
  std::fprintf(stderr, "seed %llu: %s\nagain: simulation --seed %llu\n",
               static_cast<unsigned long long>(seed), what.c_str(),
               static_cast<unsigned long long>(seed));
  std::exit(1);
}

net::WireFaults choose_wire(net::Chance& chance) {
  constexpr double losses[] = {0, 0.001, 0.01, 0.05, 0.2};
  constexpr std::int64_t delays_ms[] = {0, 1, 20, 50, 300};
  net::WireFaults wire;
  wire.loss = losses[chance.below(5)];
  if (chance.happens(0.3)) wire.burst = 4;
  if (chance.happens(0.5)) wire.duplicate = 0.05;
  if (chance.happens(0.5)) wire.corrupt = 0.02;
  if (chance.happens(0.3)) wire.trailing = 0.1;
  wire.delay = std::chrono::milliseconds(delays_ms[chance.below(5)]);
  if (chance.happens(0.5)) wire.jitter = wire.delay / 2 + 1ms;
  return wire;
}

// One simulated world.
class World {
 public:
  World(std::uint64_t seed, const char* pcap) : seed_(seed), chance_(seed), entropy_(seed) {
    constexpr std::size_t mtus[] = {576, 1280, 1500, 1500, 9000};
    mtu_ = mtus[chance_.below(5)];
    faults_ = choose_wire(chance_);
    // The wire may add bytes.
    memory_.emplace(loop_, net::mirror_ends.real, mtu_ + 64);
    memory_->carry = [this](std::string frame) {
      std::string message;
      if (loop_.now() >= shrinks_at_ && !router_.passes(frame, message)) {
        if (!message.empty()) memory_->arrive(message);
        return;
      }
      const std::string back = mirror_.reflect(std::move(frame));
      if (!back.empty()) memory_->arrive(back);
    };
    wire_.emplace(loop_, *memory_, faults_, seed ^ 0x5eedU);
    constexpr std::size_t cuts[] = {0, 3000, 65'535};
    cuts_ = cuts[seed % 3];
    is_secure_ = seed % 5 == 0;
    mtu_device_.emplace(*wire_, mtu_, cuts_);
    pcap_.emplace(loop_, *mtu_device_, pcap != nullptr ? pcap : "/dev/null");
    stack_.emplace(loop_, entropy_, log_, *pcap_, net::mirror_options());
    choose_files();
    choose_path();
  }

  void run(bool tells) {
    const bool lasts = chance_.happens(0.5);
    lasts ? serve(lasting_) : serve(memory_store_);
    if (tells) tell(lasts);
  }

 private:
  template <class Store>
  void serve(Store& store) {
    if (!is_secure_) {
      serve(store, *stack_);
      return;
    }
    simulation::Secure secure(*stack_, loop_, simulation::context(entropy_));
    serve(store, secure);
    const base::Instant end = loop_.now() + 1min;
    auto left = [&secure] { return secure.opening_count() + secure.handshake_count(); };
    while (left() > 0 && loop_.now() < end) loop_.turn(end);
    if (left() > 0) fail(seed_, "a handshake is left");
  }

  // The wire has room for what it adds; the stack is to see the MTU that was chosen. It sums and
  // cuts, if that was chosen too; the receiver sums for itself.
  class Mtu {
   public:
    Mtu(net::LossyDevice<net::MemoryDevice>& inner, std::size_t mtu, std::size_t cuts)
        : inner_(inner), mtu_(mtu), offered_{.send = cuts > 0, .segmentation_bytes = cuts} {}
    [[nodiscard]] net::Mac mac() const { return inner_.mac(); }
    [[nodiscard]] std::size_t mtu_bytes() const { return mtu_; }
    [[nodiscard]] net::Offload offload() const { return offered_; }
    bool send(const net::FrameOut& frame, net::Release release) {
      if (!offered_.send) return inner_.send(frame, release);
      std::string bytes;
      for (base::Bytes piece : frame.pieces) bytes += base::text_of(piece);
      for (const std::string& one :
           net::offload::cut(std::move(bytes), frame, offered_.segmentation_bytes)) {
        const base::Bytes piece = base::bytes_of(one);
        CHECK(piece.size() <= mtu_ + net::ethernet_header_bytes);
        static_cast<void>(inner_.send({{&piece, 1}}, {}));  // a wire always takes it
      }
      release();
      return true;
    }
    std::optional<net::FrameIn> receive() { return inner_.receive(); }
    void listen(base::Work* frames, base::Work* space) { inner_.listen(frames, space); }

   private:
    net::LossyDevice<net::MemoryDevice>& inner_;
    std::size_t mtu_;
    net::Offload offered_;
  };

  // In every fourth world the path shrinks in the middle: to what IPv6 guarantees, or a little.
  void choose_path() {
    const std::size_t least = mtu_ >= 1280 ? 1280 : net::lwip::PathMtu::ipv4_bytes_min;
    if (seed_ % 4 != 1 || mtu_ <= least) return;
    net::Chance chance(seed_ + 77);
    router_.mtu_bytes = least + (chance.happens(0.5) ? chance.below(mtu_ - least) : 0);
    shrinks_at_ = loop_.now() + std::chrono::milliseconds(chance.below(8000));
  }

  void choose_files() {
    constexpr std::size_t sizes[] = {0, 1, 535, 1460, 5000, 14'600, 60'000, 250'000};
    const std::size_t count = 1 + chance_.below(4);
    for (std::size_t i = 0; i < count; ++i) {
      File file{"f" + std::to_string(i), std::string(sizes[chance_.below(8)], '\0')};
      for (char& byte : file.bytes) byte = static_cast<char>(chance_.next());
      memory_store_.put(kv::Key(file.name), file.bytes, 1'000'000);
      lasting_.put(kv::Key(file.name), file.bytes, 1'000'000);
      files_.push_back(std::move(file));
    }
  }

  template <class Store, class Stack>
  void serve(Store& store, Stack& stack) {
    http::AccessLog access(lines_, loop_, http::LogFormat::off);
    http::Server<Store, Stack> server(store, stack, loop_, {}, access);
    if (!server.listen(80)) fail(seed_, "cannot listen");
    loop_.spawn(server.run());
    std::vector<std::unique_ptr<Fetch>> fetches;
    const std::size_t count = 1 + chance_.below(5);
    for (std::size_t i = 0; i < count; ++i) {
      fetches.push_back(std::make_unique<Fetch>(choose_client()));
      loop_.spawn(fetch(*fetches.back()));
    }
    const base::Instant end = loop_.now() + 4h;
    auto all_done = [&] {
      for (const auto& each : fetches) {
        if (!each->done) return false;
      }
      return true;
    };
    while (!all_done()) {
      if (loop_.now() >= end) fail(seed_, "a client waits for ever");
      loop_.turn(end);
    }
    server.drain();
    const base::Instant drained = loop_.now() + 10min;
    while (loop_.spawned_count() > 0 && loop_.now() < drained) loop_.turn(drained);
    if (loop_.spawned_count() > 0) fail(seed_, "the server does not end");
    if (stack_->flow_count() > 0) fail(seed_, "a flow is left");
  }

  Fetch choose_client() {
    Fetch fetch{.files = &files_};
    fetch.is_ipv6 = mtu_ >= 1280 && chance_.happens(0.3);
    if (chance_.happens(0.3)) fetch.read_bytes_max = 1 + chance_.below(2000);
    // Slow, but not so slow that the server takes it for gone.
    if (fetch.read_bytes_max > 100 && chance_.happens(0.2)) {
      fetch.pause = std::chrono::microseconds(chance_.below(5000));
    }
    if (chance_.happens(0.2)) fetch.leaves_after = chance_.below(100'000);
    return fetch;
  }

  // Asks for all files until they have come.
  Task<void> fetch(Fetch& fetch) {
    if (fetch.is_ipv6) co_await loop_.sleep_for(5s);  // until the addresses are checked
    const net::Endpoint at{fetch.is_ipv6 ? net::LwipWorld::at_ipv6(80) : net::LwipWorld::at(80)};
    while (!fetch.done) {
      if (++fetch.attempts > 50) fail(seed_, "50 attempts were not enough");
      auto flow = co_await stack_->connect(at, 60s);
      if (!flow) continue;
      simulation::Channel channel(*flow, is_secure_);
      co_await ask(channel, fetch);
    }
  }

  // One connection: all requests at once, all answers in order.
  Task<void> ask(simulation::Channel& channel, Fetch& fetch) {
    std::string questions;
    for (const File& file : *fetch.files) {
      questions += "GET /" + file.name + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    const bool is_open = co_await channel.open();
    if (!is_open) co_return;
    const bool asked = co_await channel.write(questions);
    if (!asked) co_return;
    std::size_t taken = 0;
    std::string got;
    for (const File& file : *fetch.files) {
      bool is_whole = co_await take_answer(channel, fetch, file, got, taken);
      if (fetch.done) co_return;  // it has left
      if (!is_whole) co_return;
    }
    fetch.done = true;
  }

  // Reads one answer off `got` and the flow. False: the connection ended before it was whole.
  Task<bool> take_answer(simulation::Channel& channel, Fetch& fetch, const File& file,
                         std::string& got, std::size_t& taken) {
    for (;;) {
      const std::size_t head_end = got.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        const std::string head = got.substr(0, head_end + 2);
        const std::string length = "content-length: " + std::to_string(file.bytes.size()) + "\r\n";
        std::string lower = head;
        for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (!head.starts_with("HTTP/1.1 200 ") || lower.find(length) == std::string::npos) {
          fail(seed_, "a wrong head: " + head);
        }
        const std::string_view body = std::string_view(got).substr(head_end + 4, file.bytes.size());
        if (body != std::string_view(file.bytes).substr(0, body.size())) {
          fail(seed_, "a wrong byte in " + file.name);
        }
        if (body.size() == file.bytes.size()) {
          got.erase(0, head_end + 4 + body.size());
          co_return true;
        }
      }
      const std::size_t before = got.size();
      const bool is_more = co_await channel.read(got, fetch.read_bytes_max);
      if (!is_more) co_return false;
      taken += got.size() - before;
      if (taken > fetch.leaves_after) {
        fetch.done = true;
        co_return false;
      }
      if (fetch.pause.count() > 0) co_await loop_.sleep_for(fetch.pause);
    }
  }

  void tell(bool lasts) {
    const net::WireCounts& did = wire_->counts;
    std::printf("seed %llu: MTU %zu, cuts %zu, %zu files, bodies by %s%s\n",
                static_cast<unsigned long long>(seed_), mtu_, cuts_, files_.size(),
                lasts ? "reference" : "copy", is_secure_ ? ", TLS" : "");
    std::printf(
        "wire: loss %.3f (burst %.0f), duplicate %.2f, corrupt %.2f, trailing %.2f, "
        "delay %lld ms, jitter %lld ms\n",
        faults_.loss, faults_.burst, faults_.duplicate, faults_.corrupt, faults_.trailing,
        static_cast<long long>(faults_.delay / 1ms), static_cast<long long>(faults_.jitter / 1ms));
    std::printf(
        "frames: %llu sent, %llu lost, %llu doubled, %llu changed, %llu lengthened, "
        "%llu overtaken; %.1f s of simulated time\n",
        static_cast<unsigned long long>(did.sent), static_cast<unsigned long long>(did.lost),
        static_cast<unsigned long long>(did.duplicated),
        static_cast<unsigned long long>(did.corrupted),
        static_cast<unsigned long long>(did.lengthened),
        static_cast<unsigned long long>(did.overtaken),
        std::chrono::duration<double>(loop_.now().time_since_epoch()).count());
  }

 public:
  [[nodiscard]] const net::WireCounts& counts() const { return wire_->counts; }
  [[nodiscard]] std::size_t too_big_count() const { return router_.lost_count; }

 private:
  std::uint64_t seed_;
  net::Chance chance_;
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  net::Lines lines_;
  base::Log log_{lines_};
  net::SeededEntropy entropy_;
  net::Mirror mirror_{net::mirror_ends};
  net::Router router_;
  base::Instant shrinks_at_ = base::never;
  std::size_t mtu_ = 0;
  std::size_t cuts_ = 0;
  bool is_secure_ = false;
  net::WireFaults faults_;
  std::vector<File> files_;
  kv::Memory memory_store_;
  LastingMemory lasting_;
  std::optional<net::MemoryDevice> memory_;
  std::optional<net::LossyDevice<net::MemoryDevice>> wire_;
  std::optional<Mtu> mtu_device_;
  std::optional<net::PcapDevice<Mtu>> pcap_;
  std::optional<net::Lwip> stack_;
};

std::size_t too_big_count = 0;

net::WireCounts run_once(std::uint64_t seed) {
  World world(seed, nullptr);
  world.run(false);
  too_big_count += world.too_big_count();
  return world.counts();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 0;
  std::uint64_t seeds = 3000;
  const char* pcap = nullptr;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--pcap") == 0) pcap = argv[i + 1];
  }
  if (seed != 0) {
    World world(seed, pcap);
    world.run(true);
    return 0;
  }
  net::WireCounts all;
  for (std::uint64_t each = 1; each <= seeds; ++each) {
    const net::WireCounts did = run_once(each);
    // Ten of them again: a seed that fails can be looked at.
    if (each <= 10 && run_once(each) != did) fail(each, "is not what it was");
    all.sent += did.sent;
    all.lost += did.lost;
    all.duplicated += did.duplicated;
    all.corrupted += did.corrupted;
    all.lengthened += did.lengthened;
    all.overtaken += did.overtaken;
  }
  std::printf(
      "%llu seeds: %llu frames sent, %llu lost, %llu doubled, %llu changed, "
      "%llu overtaken\n",
      static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(all.sent),
      static_cast<unsigned long long>(all.lost), static_cast<unsigned long long>(all.duplicated),
      static_cast<unsigned long long>(all.corrupted),
      static_cast<unsigned long long>(all.overtaken));
  // A wire that did nothing would show nothing.
  return all.lost > 0 && all.duplicated > 0 && all.corrupted > 0 && all.lengthened > 0 &&
                 all.overtaken > 0 && too_big_count > 0
             ? 0
             : 1;
}
