// SPDX-License-Identifier: ISC
// tests/kv/directory_test.cpp: kv::Directory beyond the laws of every store: what it shows, what it
// hides, that nothing leads out of it, and files that change while they are read.
//
// Method: each test runs by both resolvers (openat2, and the walk for kernels without it). The tree
// stands in a folder beside a "secret" that every way out would reach.

#include "kv/directory/directory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>

#include "kv/digest.hpp"
#include "tests/kv/directory_world.hpp"

namespace {

using kv::Encoding;
using kv::Entry;
using kv::Error;
using kv::Kind;
using kv::KvDirectory;
using kv::Resolver;

INSTANTIATE_TEST_SUITE_P(, KvDirectory, ::testing::Values(Resolver::openat2, Resolver::walk),
                         [](const auto& given) {
                           return given.param == Resolver::walk ? "walk" : "openat2";
                         });

TEST_P(KvDirectory, FollowsLinksThatStayInside) {
  tree.link("site/latest", "docs");
  tree.link("site/docs/home.html", "../index.html");
  tree.link("site/docs/again", "../docs/../latest/./home.html");
  tree.link("site/top", ".");
  EXPECT_EQ(text("latest/page.html"), "page");
  EXPECT_EQ(text("docs/home.html"), "home");
  EXPECT_EQ(text("docs/again"), "home");
  EXPECT_EQ(text("top/top/index.html"), "home");
  EXPECT_EQ(exists("latest"), Kind::dictionary);
  EXPECT_EQ(list("latest"), list("docs"));
  EXPECT_EQ(list(""), (std::vector<Entry>{{"docs", Kind::dictionary},
                                          {"index.html", Kind::value},
                                          {"latest", Kind::dictionary},
                                          {"top", Kind::dictionary}}));
}

TEST_P(KvDirectory, NothingLeadsOut) {
  struct Link {
    const char* name;
    std::string target;
  };
  const Link links[] = {
      {"up", ".."},
      {"file", "../secret.txt"},
      {"folder", "../secret"},
      {"docs/deep", "../../secret/key.txt"},
      {"docs/around", "../docs/../../secret.txt"},
      {"back", "../site/index.html"},
      {"absolute", tree.at("secret.txt").string()},
      {"absolute-inside", tree.at("site/index.html").string()},
      {"root", "/"},
      {"etc", "/etc"},
      {"process", "/proc/self/root"},
      {"loop", "loop"},
      {"loop-1", "loop-2"},
      {"loop-2", "loop-1"},
      {"broken", "nothing"},
      {"through-file", "index.html/../index.html"},
      {"through-file-2", "index.html/"},
      {"chained", "up/secret.txt"},
  };
  for (const Link& link : links) {
    tree.link("site/" + std::string(link.name), link.target);
    expect_all(link.name, Error::not_found);
  }
  for (kv::Key key : {"up/secret.txt", "up/site/index.html", "folder/key.txt", "root/etc/passwd",
                      "etc/passwd", "process/etc/passwd", "loop/x", "../secret.txt",
                      "docs/../../secret.txt", "/../secret.txt", "//etc/passwd"}) {
    expect_all(key, Error::not_found);
  }
  EXPECT_EQ(list(""),
            (std::vector<Entry>{{"docs", Kind::dictionary}, {"index.html", Kind::value}}));
  EXPECT_EQ(list("docs"), (std::vector<Entry>{{"page.html", Kind::value}}));
}

TEST_P(KvDirectory, ALongChainOfLinksEnds) {
  tree.link("site/link-0", "index.html");
  for (int i = 1; i <= 60; ++i) {
    tree.link("site/link-" + std::to_string(i), "link-" + std::to_string(i - 1));
  }
  EXPECT_EQ(text("link-10"), "home");
  EXPECT_EQ(text("link-39"), "home");
  expect_all("link-41", Error::not_found);
  expect_all("link-60", Error::not_found);
}

TEST_P(KvDirectory, ALinkSwappedWhileServingNeverShowsTheSecret) {
  tree.write("site/inside/key.txt", "inside");
  tree.link("site/other", "../secret");
  expect_no_secret_while_swapped("inside", "other", "/key.txt");
}

// The name is a file inside at one moment and a link that leaves at the next.
TEST_P(KvDirectory, AFileSwappedWithALinkNeverShowsTheSecret) {
  tree.write("site/file", "inside");
  tree.link("site/link", "../secret.txt");
  expect_no_secret_while_swapped("file", "link", "");
}

TEST_P(KvDirectory, ShowsFilesAndDirectoriesOnly) {
  ASSERT_EQ(mkfifo(tree.at("site/fifo").c_str(), 0600), 0);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string name = tree.at("site/socket");
  ASSERT_LT(name.size(), sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(listener);
  tree.link("site/to-fifo", "fifo");
  bool has_device = mknod(tree.at("site/null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0;
  for (kv::Key key : {"fifo", "socket", "to-fifo", "fifo/x"}) expect_all(key, Error::not_found);
  if (has_device) expect_all("null", Error::not_found);
  EXPECT_EQ(list(""),
            (std::vector<Entry>{{"docs", Kind::dictionary}, {"index.html", Kind::value}}));
}

// Opening a FIFO, even without blocking, lets a waiting writer go on.
TEST_P(KvDirectory, DoesNotEvenOpenAFifo) {
  ASSERT_EQ(mkfifo(tree.at("site/fifo").c_str(), 0600), 0);
  EXPECT_FALSE(stat("fifo"));
  EXPECT_FALSE(get("fifo"));
  EXPECT_EQ(::open(tree.at("site/fifo").c_str(), O_WRONLY | O_NONBLOCK), -1);
  EXPECT_EQ(errno, ENXIO);
}

TEST_P(KvDirectory, HidesDotfiles) {
  for (const char* name :
       {".env", ".git/config", "docs/.htaccess", ".well-known/.hidden", ".well-knownish/x"}) {
    tree.write("site/" + std::string(name), "hidden");
    expect_all(name, Error::not_found);
  }
  expect_all(".git", Error::not_found);
  tree.write("site/.well-known/security.txt", "shown");
  EXPECT_EQ(text(".well-known/security.txt"), "shown");
  EXPECT_EQ(list(".well-known"), (std::vector<Entry>{{"security.txt", Kind::value}}));
  EXPECT_EQ(list("docs"), (std::vector<Entry>{{"page.html", Kind::value}}));
  tree.write("site/docs/.well-known/x", "shown");  // as images have it
  EXPECT_EQ(text("docs/.well-known/x"), "shown");
  EXPECT_EQ(list(""), (std::vector<Entry>{{".well-known", Kind::dictionary},
                                          {"docs", Kind::dictionary},
                                          {"index.html", Kind::value}}));
}

TEST_P(KvDirectory, ShowsDotfilesWhenAsked) {
  dotfiles = true;
  tree.write("site/.env", "shown");
  EXPECT_EQ(text(".env"), "shown");
  EXPECT_EQ(list("")->front(), (Entry{".env", Kind::value}));
  expect_all("..", Error::not_found);
  expect_all(".", Error::not_found);
}

TEST_P(KvDirectory, HidesNamesThatAreNotUtf8) {
  for (const char* name : {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    tree.write("site/" + std::string(name), "x");
    expect_all(name, Error::not_found);
  }
  tree.write("site/\xc3\xa9", "x");
  EXPECT_EQ(list(""), (std::vector<Entry>{{"docs", Kind::dictionary},
                                          {"index.html", Kind::value},
                                          {"\xc3\xa9", Kind::value}}));
}

TEST_P(KvDirectory, AnUnreadableFileIsUnavailable) {
  if (geteuid() == 0) {
    // Root reads everything; try as nobody in a child.
    ASSERT_EQ(chmod(tree.path().c_str(), 0755), 0);
  }
  ASSERT_EQ(chmod(tree.at("site/index.html").c_str(), 0), 0);
  ASSERT_EQ(chmod(tree.at("site/docs").c_str(), 0), 0);
  auto check = [this] {
    bool held = true;
    for (kv::Key key : {"index.html", "docs", "docs/page.html"}) {
      auto kind = exists(key);
      auto known = stat(key);
      auto value = get(key);
      bool is_dictionary = key == "docs";
      Error expected = is_dictionary ? Error::value_expected : Error::unavailable;
      held = held && !kind && kind.error() == Error::unavailable && !known &&
             known.error() == expected && !value && value.error() == expected;
    }
    auto entries = list("docs");
    return held && !entries && entries.error() == Error::unavailable;
  };
  if (geteuid() != 0) {
    EXPECT_TRUE(check());
  } else {
    EXPECT_EXIT(
        {
          bool dropped = setuid(65534) == 0;
          _exit(dropped && check() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
  }
  ASSERT_EQ(chmod(tree.at("site/docs").c_str(), 0700), 0);
}

TEST_P(KvDirectory, RunningOutOfDescriptorsIsUnavailableAndPasses) {
  EXPECT_EQ(text("index.html"), "home");
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  rlimit none{3, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  auto known = stat("index.html");
  auto entries = list("");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error(), Error::unavailable);
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error(), Error::unavailable);
  EXPECT_EQ(text("index.html"), "home");
}

TEST_P(KvDirectory, AFileThatChangedSinceItsStatIsUnavailable) {
  struct Change {
    const char* what;
    std::function<void(const kv::Tree&)> make;
  };
  const std::string longer(1000, 'x');
  const Change changes[] = {
      {"rewritten in place", [](const kv::Tree& t) { t.write("site/index.html", "other"); }},
      {"grown", [&](const kv::Tree& t) { t.write("site/index.html", longer); }},
      {"emptied", [](const kv::Tree& t) { t.write("site/index.html", ""); }},
      {"replaced by another file of the same size",
       [](const kv::Tree& t) {
         t.write("site/new", "emoh");
         std::filesystem::rename(t.at("site/new"), t.at("site/index.html"));
       }},
      {"linked to another",
       [](const kv::Tree& t) {
         t.remove("site/index.html");
         t.link("site/index.html", "docs/page.html");
       }},
  };
  for (const Change& change : changes) {
    SCOPED_TRACE(change.what);
    tree.remove("site/index.html");
    tree.write("site/index.html", "home");
    kv::Directory::Reading before = store().reading();
    auto part = [this](kv::Directory::Reading& reading, std::uint64_t offset) {
      return base::run_now(
          store().get_partial(reading, "index.html", Encoding::identity, offset, 2000));
    };
    ASSERT_TRUE(base::run_now(store().stat(before, "index.html")));
    EXPECT_EQ(base::text_of(*part(before, 0)), "home");
    change.make(tree);
    EXPECT_EQ(part(before, 0).error(), Error::unavailable);
    EXPECT_EQ(part(before, 2).error(), Error::unavailable);
    // Another reader does not change that, and gets what goes with its own stat.
    kv::Directory::Reading after = store().reading();
    auto known = base::run_now(store().stat(after, "index.html"));
    ASSERT_TRUE(known);
    EXPECT_EQ(part(before, 0).error(), Error::unavailable);
    auto value = part(after, 0);
    ASSERT_TRUE(value);
    EXPECT_EQ(kv::Bytes(*value).size(), known->form(Encoding::identity).size_bytes);
    EXPECT_EQ(kv::digest_of(*value), known->form(Encoding::identity).digest);
  }
}

TEST_P(KvDirectory, AReadingThatStatedManyFilesNeverMixesThem) {
  constexpr std::size_t files_max = kv::Directory::Reading::files_max;
  kv::Directory::Reading reading = store().reading();
  auto part = [&](const std::string& key) {
    return base::run_now(store().get_partial(reading, key, Encoding::identity, 0, 100));
  };
  for (std::size_t i = 0; i <= files_max; ++i) {
    const std::string key = std::to_string(i);
    tree.write("site/" + key, "old");
    ASSERT_TRUE(base::run_now(store().stat(reading, key)));
  }
  for (std::size_t i = 0; i <= files_max; ++i) tree.write("site/" + std::to_string(i), "newer");
  // The first one has made room; nobody may take its new bytes for what was described.
  for (std::size_t i = 0; i <= files_max; ++i) {
    EXPECT_EQ(part(std::to_string(i)).error(), Error::unavailable) << i;
  }
  ASSERT_TRUE(base::run_now(store().stat(reading, "0")));
  EXPECT_EQ(base::text_of(*part("0")), "newer");
}

TEST_P(KvDirectory, TellsTheTimeOfAFile) {
  timespec times[2] = {{1'000'000'000, 0}, {1'234'567'890, 999}};
  ASSERT_EQ(utimensat(AT_FDCWD, tree.at("site/index.html").c_str(), times, 0), 0);
  EXPECT_EQ(stat("index.html")->modified_s, 1'234'567'890);
}

TEST_P(KvDirectory, ALargeFileIsReadInPieces) {
  // Sparse: 1 GiB without the disk's help.
  tree.write("site/huge", "start");
  std::filesystem::resize_file(tree.at("site/huge"), std::uint64_t{1} << 30U);
  constexpr std::uint64_t piece = kv::Directory::piece_bytes_max;
  auto part = [&](std::uint64_t offset) {
    return base::run_now(store().get_partial("huge", Encoding::identity, offset, piece));
  };
  EXPECT_EQ(base::text_of(*part(0)).substr(0, 6), std::string_view("start\0", 6));
  EXPECT_EQ(kv::Bytes(*part((std::uint64_t{1} << 30U) - 3)).size(), 3U);
  EXPECT_EQ(kv::Bytes(*part(std::uint64_t{1} << 29U)).size(), piece);
}

TEST_P(KvDirectory, SurvivesBeingDeletedAndMadeAnew) {
  EXPECT_EQ(text("index.html"), "home");
  tree.remove("site");
  expect_all("index.html", Error::unavailable);
  expect_all("", Error::unavailable);
  tree.write("site/index.html", "anew");
  EXPECT_EQ(stat("index.html")->form(Encoding::identity).digest,
            kv::digest_of(base::bytes_of("anew")));
  EXPECT_EQ(text("index.html"), "anew");
  // Moved away and replaced: the old tree still exists, under another name.
  std::filesystem::rename(tree.at("site"), tree.at("old"));
  tree.write("site/index.html", "newest");
  ASSERT_TRUE(stat("index.html"));
  EXPECT_EQ(text("index.html"), "newest");
}

TEST_P(KvDirectory, ReachesWhatLiesDeeperThanAPathMayBeLong) {
  std::string key;
  int at = ::open(tree.at("site").c_str(), O_PATH | O_DIRECTORY);
  for (int i = 0; i < 25; ++i) {
    std::string name(200, 'd');
    ASSERT_EQ(mkdirat(at, name.c_str(), 0700), 0);
    int below = openat(at, name.c_str(), O_PATH | O_DIRECTORY);
    close(at);
    at = below;
    key += name + '/';
  }
  int file = openat(at, "deep.txt", O_CREAT | O_WRONLY, 0600);
  ASSERT_EQ(write(file, "deep", 4), 4);
  close(file);
  close(at);
  EXPECT_EQ(text(key + "deep.txt"), "deep");
  EXPECT_EQ(exists(key.substr(0, key.size() - 1)), Kind::dictionary);
}

std::string refusal(const std::string& path) {
  try {
    kv::Directory store(path);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

TEST(KvDirectoryStart, SaysWhyADirectoryCannotBeRead) {
  kv::Tree tree;
  tree.write("file", "");
  EXPECT_EQ(refusal(tree.path()), "accepted");
  EXPECT_EQ(refusal(tree.path() + "/missing"),
            "cannot read the directory " + tree.path() + "/missing: No such file or directory");
  EXPECT_EQ(refusal(tree.path() + "/file"),
            "cannot read the directory " + tree.path() + "/file: Not a directory");
}

TEST(KvRecent, HoldsAtMostItsMaximumAndKeepsWhatIsUsed) {
  kv::Recent<int, int> recent(100);
  recent.put(-1, 7);
  for (int i = 0; i < 10'000; ++i) {
    recent.put(i, i);
    ASSERT_LE(recent.count(), 100U);
    ASSERT_EQ(recent.find(i), i);
    ASSERT_EQ(recent.find(-1), 7) << i;
  }
  EXPECT_EQ(recent.find(5'000), std::nullopt);
}

}  // namespace
