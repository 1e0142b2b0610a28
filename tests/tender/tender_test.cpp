// SPDX-License-Identifier: ISC
// The tender as a program, with guests of a few instructions (guests.S): where there is no KVM,
// they are skipped. What it does before it opens KVM is tested everywhere.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include "base/descriptor.hpp"
#include "tests/kv/tree.hpp"
#include "tests/tender/guests.hpp"
#include "tests/tender/sample.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience(60);

// A file of the folder, by its whole name.
std::string put(const kv::Tree& folder, std::string_view name, std::string_view bytes) {
  folder.write(name, bytes);
  return folder.at(name).string();
}

// A tender that runs. Its output is read until it ends, or until a line.
class Tender {
 public:
  explicit Tender(std::vector<std::string> words) {
    words.insert(words.begin(), HVT_TENDER);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Tender() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(out_);
  }
  Tender(const Tender&) = delete;
  Tender& operator=(const Tender&) = delete;

  // Reads until `text` has come; false if it ended before.
  bool wait_for(const std::string& text) {
    while (output_.find(text) == std::string::npos) {
      if (!read_more()) return false;
    }
    return true;
  }
  // The status; 1000 + the signal that ended it.
  int wait() {
    while (read_more()) {
    }
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  // Sends the signal until it has ended: two that come close to each other may be one.
  int end_by(int number) {
    constexpr int again_ms = 50;
    pollfd wait_for_end{out_, POLLIN, 0};
    do {
      signal(number);
    } while (::poll(&wait_for_end, 1, again_ms) == 0 && Clock::now() < end_);
    return wait();
  }
  void signal(int number) const { ::kill(child_, number); }
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  bool read_more() {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
    pollfd wait{out_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
      ADD_FAILURE() << "no end in time; so far:\n" << output_;
      ::kill(child_, SIGKILL);
      return false;
    }
    char buffer[4096];
    const ssize_t got = ::read(out_, buffer, sizeof buffer);
    if (got > 0) output_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  pid_t child_ = -1;
  int out_ = -1;
  std::string output_;
  Clock::time_point end_ = Clock::now() + patience;
};

enum class With { nothing, net, block };

// An image with one device or none.
std::string image_of(const std::string& code, With device) {
  hvt_test::Sample sample;
  sample.header.e_entry = sample.code.p_vaddr;
  sample.code_bytes = code;
  if (device == With::nothing) sample.entries.resize(1);
  if (device == With::block) std::swap(sample.entries[1], sample.entries[2]);
  if (device != With::nothing) sample.entries.resize(2);
  sample.manifest.count = static_cast<std::uint32_t>(sample.entries.size());
  sample.data.p_memsz = 0x1000;
  sample.set_sizes();
  return sample.bytes();
}

class Guest : public testing::Test {
 protected:
  void SetUp() override {
    const int kvm = ::open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) GTEST_SKIP() << "/dev/kvm: " << std::strerror(errno);
    ::close(kvm);
  }
  std::string image(const std::string& code, With device = With::nothing) {
    return put(folder, "guest.hvt", image_of(code, device));
  }
  kv::Tree folder;
};

TEST_F(Guest, HasItsWordsAndGivesItsStatus) {
  Tender tender({"--mem=2", image(CODE(words)), "--", "--http-port=80", "a b"});
  EXPECT_EQ(tender.wait(), 7);
  EXPECT_TRUE(tender.output().ends_with("--http-port=80 a b")) << tender.output();
}

TEST_F(Guest, IsEnteredAsTheAbiSays) {
  for (const char* memory : {"--mem=2", "--mem=17", "--mem=1500"}) {
    Tender tender({memory, image(CODE(entry))});
    EXPECT_EQ(tender.wait(), 0) << memory << "\n" << tender.output();
  }
}

TEST_F(Guest, IsAskedToEndBySigterm) {
  for (const int number : {SIGTERM, SIGINT}) {
    Tender tender({"--mem=2", image(CODE(drain))});
    ASSERT_TRUE(tender.wait_for("ready\n"));
    tender.signal(number);
    EXPECT_EQ(tender.wait(), 0);
    EXPECT_TRUE(tender.output().ends_with("bye\n")) << tender.output();
  }
}

TEST_F(Guest, IsEndedByTheSecondSigint) {
  Tender tender({"--mem=2", image(CODE(deaf))});
  ASSERT_TRUE(tender.wait_for("ready\n"));
  EXPECT_EQ(tender.end_by(SIGINT), 130) << tender.output();
}

TEST_F(Guest, HasBlocks) {
  std::string disk(2048, 'x');
  disk[512] = 'A';
  const std::string path = put(folder, "disk", disk);
  Tender tender({"--mem=2", "--block:storage=" + path, image(CODE(block), With::block)});
  EXPECT_EQ(tender.wait(), 0) << tender.output();
  std::ifstream file(path, std::ios::binary);
  disk[0] = 'B';
  disk.replace(1, 511, 511, 'x');
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), disk);
}

// A network namespace with the tap "hvt0", whose other side is a packet socket.
class Network {
 public:
  Network() {
    if (::unshare(CLONE_NEWNET) != 0) return;
    tap_ = ::open("/dev/net/tun", O_RDWR);  // inherited
    ifreq request{};
    std::strcpy(request.ifr_name, "hvt0");
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    packets_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    if (tap_ < 0 || packets_ < 0 || ::ioctl(tap_, TUNSETIFF, &request) != 0) return;
    request.ifr_flags = IFF_UP;
    if (::ioctl(packets_, SIOCSIFFLAGS, &request) != 0) return;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("hvt0"));
    is_there_ = ::bind(packets_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Network() {
    ::close(tap_);
    ::close(packets_);
  }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  [[nodiscard]] bool is_there() const { return is_there_; }
  // As a word for the tender: the tap by name, free for it, or inherited.
  std::string by_name() {
    EXPECT_EQ(::ioctl(tap_, TUNSETPERSIST, 1), 0);
    ::close(tap_);
    tap_ = -1;
    return "hvt0";
  }
  [[nodiscard]] std::string inherited() const { return "@" + std::to_string(tap_); }
  [[nodiscard]] int packets() const { return packets_; }

 private:
  int tap_ = -1;
  int packets_ = -1;
  bool is_there_ = false;
};

class NetGuest : public Guest {
 protected:
  // The guest sends 60 bytes that begin with "data", then takes one of 77 and says so.
  void talk(bool by_name, const std::string& code = CODE(net)) {
    Network network;
    if (!network.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
    const std::string tap = by_name ? network.by_name() : network.inherited();
    Tender tender({"--mem=4", "--net:service=" + tap, image(code, With::net)});
    ASSERT_TRUE(tender.wait_for("ready\n")) << tender.output();
    std::string frame(2000, '\0');
    for (bool found = false; !found;) {  // the kernel sends frames of its own too
      pollfd wait{network.packets(), POLLIN, 0};
      ASSERT_GT(::poll(&wait, 1, 60'000), 0);
      const ssize_t got = ::recv(network.packets(), frame.data(), frame.size(), 0);
      found = got == 60 && frame.starts_with("data");
    }
    const std::string answer(77, 'a');
    ASSERT_EQ(::send(network.packets(), answer.data(), answer.size(), 0), 77);
    EXPECT_EQ(tender.wait(), 77) << tender.output();
  }
};

TEST_F(NetGuest, SendsAndReceivesOverATapByName) { talk(true); }
TEST_F(NetGuest, SendsAndReceivesOverAnInheritedTap) { talk(false); }

TEST_F(NetGuest, SendsAndReceivesByTheRing) { talk(false, CODE(ring)); }

// A ring that is not offered: too little memory for it, and not wanted.
TEST_F(NetGuest, IsToldOfTheRingOnlyWhereThereIsOne) {
  Network network;
  if (!network.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
  const std::string tap = "--net:service=" + network.inherited();
  for (const char* option : {"--mem=2", "--no-net-ring"}) {
    Tender tender({tap, option, image(CODE(ring), With::net)});
    EXPECT_EQ(tender.wait(), 99) << option << "\n" << tender.output();
  }
}

TEST_F(NetGuest, ThatIsHostileByTheRingIsEnded) {
  Network network;
  if (!network.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
  const struct {
    std::string code;
    const char* words;
  } hostile[] = {{CODE(flood), "the ring: it says that 1025 entries wait"},
                 {CODE(reach), "are not all in memory that may be written"}};
  for (const auto& guest : hostile) {
    Tender tender(
        {"--mem=4", "--net:service=" + network.inherited(), image(guest.code, With::net)});
    EXPECT_EQ(tender.wait(), 1);
    EXPECT_NE(tender.output().find(guest.words), std::string::npos) << tender.output();
  }
}

TEST_F(Guest, ThatIsHostileIsEndedAndTheReasonSaid) {
  struct {
    const char* name;
    std::string code;
    const char* words;
  } const hostile[] = {
      {"hlt", CODE(hlt), "it halts its processor"},
      {"fault", CODE(fault), "a fault that it does not handle"},
      {"null", CODE(null), "a fault that it does not handle"},
      {"beyond", CODE(beyond), "a fault that it does not handle"},
      {"overwrite", CODE(overwrite), ", at 0x"},
      {"port", CODE(port), "it writes to port 0x3f8"},
      {"in", CODE(in), "it reads port 0x60"},
      {"pointer", CODE(pointer), "puts: the 0x10 bytes at 0xfffffff0 are not all in"},
      {"length", CODE(length), "puts: the 0xfffffffffffffff8 bytes at 0x100000 are not all in"},
      {"handle", CODE(handle), "net_write: there is no such device with the handle 0x3f"},
      {"answer", CODE(answer), "walltime: the 0x8 bytes at 0x100000 are not all in memory that"},
  };
  for (const auto& guest : hostile) {
    SCOPED_TRACE(guest.name);
    Tender tender({"--mem=2", image(guest.code)});
    EXPECT_EQ(tender.wait(), 1);
    EXPECT_NE(tender.output().find("the guest did what it may not"), std::string::npos);
    EXPECT_NE(tender.output().find(guest.words), std::string::npos) << tender.output();
  }
}

TEST_F(Guest, IsTraced) {
  Tender tender({"--mem=2", "--trace", image(CODE(words)), "word"});
  EXPECT_EQ(tender.wait(), 7);
  EXPECT_NE(tender.output().find("hvt: puts, handle 0, 4 bytes: 0\n"), std::string::npos);
  EXPECT_NE(tender.output().find("hvt: halt"), std::string::npos) << tender.output();
}

struct Refused {
  const char* name;
  std::vector<std::string> words;  // "IMAGE" stands for a good image with a network device
  int status;
  const char* says;
};

TEST(Tender, SaysWhatIsWrong) {
  kv::Tree folder;
  hvt_test::Sample with_net;
  with_net.entries.resize(2);
  with_net.manifest.count = 2;
  with_net.set_sizes();
  const std::string good = put(folder, "good.hvt", with_net.bytes());
  const std::string cut = put(folder, "cut.hvt", with_net.bytes().substr(0, 300));
  with_net.entries[1] = hvt_test::device("disk", solo5::DeviceType::block);
  const std::string disk = put(folder, "disk.hvt", with_net.bytes());
  const std::string locked = put(folder, "locked", std::string(1024, 'x'));
  const base::Descriptor holder(::open(locked.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(holder.get(), LOCK_EX), 0);
  const Refused cases[] = {
      {"nothing", {}, 2, "which image?"},
      {"option", {"--men=3", good}, 2, "unknown option '--men=3'"},
      {"no option", {"--", "--men=3"}, 1, "cannot read '--men=3'"},
      {"no memory", {"--mem=1", good}, 2, "from 2 to 4096"},
      {"too much memory", {"--mem=4097", good}, 2, "from 2 to 4096"},
      {"memory", {"--mem=2x", good}, 2, "from 2 to 4096"},
      {"no name", {"--net:=tap0", good}, 2, "--OPTION:NAME=VALUE"},
      {"no tap", {"--net:service", good}, 2, "--OPTION:NAME=VALUE"},
      {"address", {"--net-mac:service=02:00:00:00:00", good}, 2, "no MAC address"},
      {"no file", {"/nonexistent.hvt"}, 1, "cannot read '/nonexistent.hvt': No such file"},
      {"cut file", {cut}, 1, "cannot be started: "},
      {"another program", {"/proc/self/exe"}, 1, "cannot be started: it"},
      {"not attached", {good}, 1, "needs --net:service=TAP"},
      {"no such tap", {"--net:service=nosuchtap0", good}, 1, "there is no tap 'nosuchtap0'; make"},
      {"no tap's name", {"--net:service=namewithoverfifteen", good}, 1, "cannot be the name"},
      {"no descriptor", {"--net:service=@77", good}, 1, "'@77' is no open tap"},
      {"descriptor", {"--net:service=@x", good}, 1, "what follows @ is the number"},
      {"another file", {"--net:service=@0", good}, 1, "is no open tap"},
      {"no such device", {"--block:disk=" + cut, good}, 1, "no block device 'disk'"},
      {"no disk",
       {"--block:disk=/nonexistent", disk},
       1,
       "the disk '/nonexistent' cannot be opened for writing: No such file"},
      {"cut disk", {"--block:disk=" + cut, disk}, 1, "has 300 bytes, which is no multiple"},
      {"empty disk", {"--block:disk=" + put(folder, "empty", ""), disk}, 1, "is empty"},
      {"a directory", {"--block:disk=/tmp", disk}, 1, "cannot be opened for writing: Is a dir"},
      {"no disk at all", {"--block:disk=/dev/null", disk}, 1, "neither a file nor a block device"},
      {"locked disk", {"--block:disk=" + locked, disk}, 1, "is in use by another process"},
      {"long words", {good, "--", std::string(8192, 'a')}, 1, "longer than 8191"},
  };
  for (const Refused& one : cases) {
    SCOPED_TRACE(one.name);
    Tender tender(one.words);
    EXPECT_EQ(tender.wait(), one.status);
    EXPECT_NE(tender.output().find(one.says), std::string::npos) << tender.output();
  }
}

}  // namespace
