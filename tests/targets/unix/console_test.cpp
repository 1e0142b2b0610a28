// SPDX-License-Identifier: ISC
// tests/targets/unix/console_test.cpp: a log that nobody reads stops nobody, and what is lost is
// counted.
//
// Method: media that take nothing (a pipe, a closed pipe, a stopped terminal, a full device, a file
// at its limit) are written to, with the console's thread and without; a write that waited would
// hang the test. Afterwards each line was either read or counted.

#include "targets/unix/console.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <list>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "targets/unix/line_queue.hpp"

namespace {

using base::Descriptor;
using unix_target::Console;
using unix_target::LineQueue;

struct Medium {
  Descriptor reader;  // of what stands for the console's reader; none where nobody can read
  Descriptor writer;
};

Medium pipe_that_blocks() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}
Medium non_blocking_pipe() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}
Medium local_socket() {  // as systemd's journal is written to
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}
Medium terminal() {
  Medium medium{Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
  EXPECT_EQ(grantpt(medium.reader.get()) | unlockpt(medium.reader.get()), 0);
  medium.writer = Descriptor(::open(ptsname(medium.reader.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  EXPECT_EQ(tcgetattr(medium.writer.get(), &settings), 0);
  settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  tcsetattr(medium.writer.get(), TCSANOW, &settings);
  return medium;
}
Medium stopped_terminal() {  // Ctrl-S
  Medium medium = terminal();
  EXPECT_EQ(tcflow(medium.writer.get(), TCOOFF), 0);
  return medium;
}
Medium closed_pipe() {
  Medium medium = pipe_that_blocks();
  medium.reader = {};
  return medium;
}
Medium full_disk() { return {{}, Descriptor(::open("/dev/full", O_WRONLY | O_CLOEXEC))}; }

struct Kind {
  const char* name;
  Medium (*make)();
};
constexpr Kind media[] = {{"a pipe", pipe_that_blocks},
                          {"a non-blocking pipe", non_blocking_pipe},
                          {"a socket", local_socket},
                          {"a terminal", terminal},
                          {"a stopped terminal", stopped_terminal},
                          {"a closed pipe", closed_pipe},
                          {"a full disk", full_disk}};

// The console's notices, read from a pipe that is large enough for them.
class Notices {
  Medium pipe_ = non_blocking_pipe();

 public:
  Console console{pipe_.writer.get()};
  std::string all() {
    std::array<char, 4096> text;
    const ssize_t got = ::read(pipe_.reader.get(), text.data(), text.size());
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : "";
  }
};

std::string line_of(int number) {
  return "line " + std::to_string(number) + std::string(200, '.') + '\n';
}
constexpr int lines_written = 5000;  // a megabyte: more than the queue and any pipe

long lost_in(const std::string& notices) {
  std::smatch found;
  return std::regex_search(notices, found, std::regex("; ([0-9]+) lines were lost"))
             ? std::stol(found[1])
             : 0;
}

std::size_t count_of(const std::string& what, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

class Stalls : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(WithAndWithoutAThread, Stalls, ::testing::Bool());

TEST_P(Stalls, NobodyWaitsForAReaderThatStops) {
  for (const Kind& kind : media) {
    SCOPED_TRACE(kind.name);
    // Until the program ends: the console's thread may go on to wait in write(2).
    static std::list<Medium> used;
    const Medium& medium = used.emplace_back(kind.make());
    ASSERT_TRUE(medium.writer);
    const int flags = fcntl(medium.writer.get(), F_GETFL);
    Notices notices;
    {
      Console console(medium.writer.get(), &notices.console);
      if (GetParam()) console.start_writer();
      for (int i = 0; i < lines_written; ++i) console.write(line_of(i));
      EXPECT_EQ(fcntl(medium.writer.get(), F_GETFL), flags) << "the descriptor is shared";
    }
    const std::string said = notices.all();
    // One line begins a loss and one ends it; a medium may take some lines in between.
    EXPECT_TRUE(said.starts_with("warning: standard output takes no lines (")) << said;
    EXPECT_LE(count_of("takes no lines", said), count_of("lines were lost", said)) << said;
    EXPECT_GT(lost_in(said), 0) << said;
  }
}

// Reads until a line that ends in `last`, and gives everything.
std::string read_until(int fd, const std::string& last) {
  std::string all;
  std::array<char, 65536> part;
  while (!all.ends_with(last)) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, 10'000) <= 0) break;
    const ssize_t got = ::read(fd, part.data(), part.size());
    if (got <= 0) break;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
  return all;
}

TEST(Console, AReaderThatGoesOnGetsWhatWasKeptAndTheCountOfTheRest) {
  Medium medium = pipe_that_blocks();
  std::string all;
  {
    Console console(medium.writer.get());  // notices are among the lines
    console.start_writer();
    for (int i = 0; i < lines_written; ++i) console.write(line_of(i));
    all = read_until(medium.reader.get(), "lines were lost\n");
    console.write("afterwards\n");
    all += read_until(medium.reader.get(), "afterwards\n");
  }
  const std::regex line("line [0-9]+\\.{200}\n");
  const long kept =
      std::distance(std::sregex_iterator(all.begin(), all.end(), line), std::sregex_iterator());
  EXPECT_GT(kept, 0);
  EXPECT_EQ(kept + lost_in(all), lines_written);
  EXPECT_NE(all.find("warning: standard output takes no lines (it is not read, or too slowly)"),
            std::string::npos);
  EXPECT_TRUE(all.ends_with("lost\nafterwards\n"));
}

TEST(Console, WritesEverythingToAReaderThatReads) {
  Medium medium = pipe_that_blocks();
  std::string got;
  std::thread reader([&] { got = read_until(medium.reader.get(), "the end\n"); });
  {
    Console console(medium.writer.get());
    console.start_writer();
    for (int i = 0; i < 500; ++i) console.write(line_of(i));
    console.write(std::string(100'000, 'a') + "\n");  // longer than a piece
    console.write("the end\n");
  }
  reader.join();
  std::string want;
  for (int i = 0; i < 500; ++i) want += line_of(i);
  want += std::string(100'000, 'a') + "\nthe end\n";
  EXPECT_TRUE(got == want) << got.size() << " bytes, not " << want.size();
}

TEST(Console, LinesOfSeveralThreadsStayWhole) {
  Medium medium = pipe_that_blocks();
  std::string got;
  std::thread reader([&] { got = read_until(medium.reader.get(), "the end\n"); });
  {
    Console console(medium.writer.get());
    console.start_writer();
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back([&console] {
        for (int i = 0; i < 200; ++i) console.write(line_of(i));
      });
    }
    for (std::thread& writer : writers) writer.join();
    console.write("the end\n");
  }
  reader.join();
  std::map<std::string, int> seen;
  std::istringstream lines(got);
  for (std::string line; std::getline(lines, line);) ++seen[line + '\n'];
  EXPECT_EQ(seen.size(), 201U);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(seen[line_of(i)], 4) << i;
}

// A file at its limit stands for a disk that is full for a while: what is written before is cut in
// the middle of a line, as there.
TEST(Console, ADiskThatHasRoomAgainIsWrittenToAgain) {
  char name[] = "/tmp/console_test.XXXXXX";
  const Descriptor file(mkstemp(name));
  const Descriptor reader(::open(name, O_RDONLY | O_CLOEXEC));
  ::unlink(name);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  Notices notices;
  {
    Console console(file.get(), &notices.console);
    const rlimit small{300, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 3; ++i) console.write(line_of(i));
    setrlimit(RLIMIT_FSIZE, &before);
    console.write("again\n");
  }
  const std::string all = read_until(reader.get(), "again\n");
  EXPECT_EQ(all, line_of(0) + line_of(1).substr(0, 300 - line_of(0).size()) + "\nagain\n");
  EXPECT_EQ(notices.all(),
            "warning: standard output takes no lines (File too large): they are dropped until it "
            "does\nwarning: standard output takes lines again; 2 lines were lost\n");
}

TEST(LineQueue, TakesATextWholeOrNotAtAllAndCountsEachLine) {
  LineQueue queue;
  const std::string block = std::string(LineQueue::bytes_max / 4 - 1, 'x') + '\n';
  for (int i = 0; i < 4; ++i) EXPECT_EQ(queue.put(block), LineQueue::Taken::whole);
  EXPECT_EQ(queue.put("a\nb\n"), LineQueue::Taken::began);
  EXPECT_EQ(queue.put("c\n"), LineQueue::Taken::lost);
  EXPECT_EQ(queue.lost_count(), 3U);
  // It takes lines again when half of them are out, not for each piece.
  std::vector<char> piece(block.size());
  EXPECT_EQ(queue.take(piece).size(), block.size());
  EXPECT_FALSE(queue.was_written());
  EXPECT_EQ(queue.put("d\n"), LineQueue::Taken::lost);
  EXPECT_EQ(queue.take(piece).size(), block.size());
  EXPECT_TRUE(queue.was_written());
  EXPECT_EQ(queue.lost_count(), 4U);
  queue.forget_lost();
  EXPECT_EQ(queue.put("e\n"), LineQueue::Taken::whole);
  queue.give_up();
  EXPECT_EQ(queue.lost_count(), 3U);
  EXPECT_TRUE(queue.is_empty());
}

TEST(LineQueue, APieceIsWholeLinesWhereTheyFit) {
  LineQueue queue;
  queue.put("one\ntwo\nthree\n");
  std::array<char, 9> piece;
  const auto text = [&] {
    const auto bytes = queue.take(piece);
    return std::string(bytes.data(), bytes.size());
  };
  EXPECT_EQ(text(), "one\ntwo\n");
  EXPECT_EQ(text(), "three\n");
  queue.put("a line that is longer\nend\n");
  EXPECT_EQ(text(), "a line th");
  EXPECT_EQ(text(), "at is lon");
  EXPECT_EQ(text(), "ger\nend\n");
}

}  // namespace
