// SPDX-License-Identifier: ISC
// tests/targets/unix/memory_test.cpp: which limit of a control group holds for a process.
//
// Method:  trees of files as the kernel shows them, v1, v2 and both, in a folder of the test's own.

#include "targets/unix/memory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using unix_target::cgroup_memory_limit;
using unix_target::no_limit;

class Cgroups : public ::testing::Test {
 protected:
  Cgroups() {
    char name[] = "/tmp/cgroups-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    root_ = name;
  }
  ~Cgroups() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << '\n';
  }
  std::string root_;
};

TEST_F(Cgroups, V2TakesTheLeastOfTheGroupAndThoseAbove) {
  put("/a/b/c/memory.max", "300000000");
  put("/a/b/memory.max", "max");
  put("/a/memory.max", "200000000");
  EXPECT_EQ(cgroup_memory_limit("0::/a/b/c\n", root_), 200'000'000U);
  EXPECT_EQ(cgroup_memory_limit("0::/a/b\n", root_), 200'000'000U);
  EXPECT_EQ(cgroup_memory_limit("0::/other\n", root_), no_limit);
}

// In a container the group's own files are at the root.
TEST_F(Cgroups, V2InANamespace) {
  put("/memory.max", "67108864");
  EXPECT_EQ(cgroup_memory_limit("0::/\n", root_), 67'108'864U);
  EXPECT_EQ(cgroup_memory_limit("0::/../elsewhere\n", root_), 67'108'864U);
}

TEST_F(Cgroups, V1) {
  put("/memory/docker/x/memory.limit_in_bytes", "100000000");
  put("/memory/memory.limit_in_bytes", "9223372036854771712");
  const char* groups = "12:pids:/docker/x\n5:cpu,memory:/docker/x\n1:name=systemd:/\n";
  EXPECT_EQ(cgroup_memory_limit(groups, root_), 100'000'000U);
  EXPECT_EQ(cgroup_memory_limit("5:cpuset:/docker/x\n", root_), no_limit);
}

TEST_F(Cgroups, Neither) {
  EXPECT_EQ(cgroup_memory_limit("", root_), no_limit);
  EXPECT_EQ(cgroup_memory_limit("nonsense\n0:\n", root_), no_limit);
  put("/a/memory.max", "nonsense");
  EXPECT_EQ(cgroup_memory_limit("0::/a\n", root_), no_limit);
}

TEST(Memory, AUsualProcessMayUseAtMostHalfOfTheMachine) {
  const unix_target::MemoryLimits limits = unix_target::memory_limits();
  EXPECT_LE(limits.usual_bytes, limits.hard_bytes);
  EXPECT_GT(limits.usual_bytes, 0U);
  EXPECT_NE(limits.usual_bytes, no_limit);
}

}  // namespace
