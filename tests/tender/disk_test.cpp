// SPDX-License-Identifier: ISC
// What a guest's disk is to the tender: durable with each write, and its guest's alone.

#include "tender/disk.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "tests/kv/tree.hpp"

namespace tender {
namespace {

TEST(Disk, IsDurableAndHeldAlone) {
  kv::Tree folder;
  folder.write("disk", std::string(2048, 'x'));
  const std::string path = folder.at("disk").string();
  {
    const Disk disk = open_disk(path);
    EXPECT_EQ(disk.details.capacity_bytes, 2048U);
    EXPECT_EQ(disk.details.block_bytes, 512U);
    EXPECT_EQ(disk.details.flags, solo5::block_is_durable);
    EXPECT_EQ(::fcntl(disk.file.get(), F_GETFL) & (O_DSYNC | O_ACCMODE), O_DSYNC | O_RDWR);
    try {
      static_cast<void>(open_disk(path));
      ADD_FAILURE() << "it is opened twice";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), "the disk '" + path + "' is in use by another process");
    }
  }
  EXPECT_TRUE(open_disk(path).file);
}

}  // namespace
}  // namespace tender
