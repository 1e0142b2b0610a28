// SPDX-License-Identifier: ISC
// The laws of block::BlockDevice, by number, on every device that needs no machine; and devices
// that break them, so that the laws' tests notice. (Real ones: tests/probe.)

#include "tests/block/laws.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include "block/file/file.hpp"
#include "block/memory/memory.hpp"
#include "block/torn/torn.hpp"
#include "tests/block/archetype.hpp"

namespace {

using block::File;
using block::Info;

// A file that goes with the test.
class DiskFile {
 public:
  explicit DiskFile(std::uint64_t bytes) {
    path_ = (std::filesystem::temp_directory_path() / "crunch-disk-XXXXXX").string();
    const base::Descriptor made(::mkstemp(path_.data()));
    EXPECT_TRUE(made);
    EXPECT_EQ(::ftruncate(made.get(), static_cast<off_t>(bytes)), 0);
  }
  ~DiskFile() { std::filesystem::remove(path_); }
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const Info infos[] = {{512, 1, false},    {512, 3, false},   {512, 2048, false}, {4096, 64, false},
                      {65'536, 5, false}, {512, 1000, true}, {4096, 1, true}};

std::string name_of(const Info& info) {
  return std::to_string(info.sector_count) + " sectors of " + std::to_string(info.sector_bytes) +
         (info.is_read_only ? ", to read" : "");
}

template <block::BlockDevice D>
std::vector<std::string> broken(D& device) {
  return base::run_now(block::laws::broken_laws(device));
}

const std::vector<std::string> nothing;

TEST(BlockLaws, Memory) {
  for (const Info& info : infos) {
    block::Memory device(info);
    EXPECT_EQ(broken(device), nothing) << name_of(info);
  }
}

TEST(BlockLaws, Torn) {
  for (const Info& info : infos) {
    block::Torn device(info);
    EXPECT_EQ(broken(device), nothing) << name_of(info);
  }
}

TEST(BlockLaws, TheArchetypeIsEnough) {
  block::Archetype device(infos[2]);
  EXPECT_EQ(broken(device), nothing);
}

TEST(BlockLaws, AFileOfUnix) {
  for (const Info& info : infos) {
    if (info.sector_bytes != 512) continue;
    const DiskFile file(info.size_bytes());
    File device(file.path(), info.is_read_only ? File::Access::read : File::Access::read_write);
    EXPECT_EQ(device.info(), info);
    EXPECT_EQ(broken(device), nothing) << name_of(info);
  }
}

TEST(BlockLaws, EachThatIsBrokenIsNoticed) {
  const std::pair<block::Flaw, int> flaws[] = {{block::Flaw::changes_info, 1},
                                               {block::Flaw::odd_sectors, 1},
                                               {block::Flaw::reads_past_the_end, 2},
                                               {block::Flaw::takes_parts_of_sectors, 2},
                                               {block::Flaw::offset_wraps, 2},
                                               {block::Flaw::refuses_none, 2},
                                               {block::Flaw::clears_before_refusing, 2},
                                               {block::Flaw::forgets_last_sector, 3},
                                               {block::Flaw::cuts_large_writes, 3},
                                               {block::Flaw::reads_one_too_far, 3},
                                               {block::Flaw::flush_fails, 5},
                                               {block::Flaw::flush_drops, 5},
                                               {block::Flaw::takes_writes, 7}};
  for (const auto& [flaw, law] : flaws) {
    const bool is_read_only = flaw == block::Flaw::takes_writes;
    block::Flawed device({512, 2048, is_read_only}, flaw);
    const std::vector<std::string> found = broken(device);
    const auto names = [law](const std::string& one) {
      return one.starts_with("law " + std::to_string(law) + ":");
    };
    EXPECT_TRUE(std::ranges::any_of(found, names)) << static_cast<int>(flaw);
  }
}

// What a file is refused for: the sentence has the path and the reason.
void expect_refused(const std::string& path, File::Access access, std::string_view why) {
  try {
    const File device(path, access);
    ADD_FAILURE() << "was taken: " << why;
  } catch (const std::runtime_error& error) {
    const std::string said = error.what();
    EXPECT_NE(said.find(path), std::string::npos) << said;
    EXPECT_NE(said.find(why), std::string::npos) << said;
  }
}

TEST(BlockFiles, RefuseWhatIsNoDisk) {
  const auto read = File::Access::read;
  expect_refused("/nowhere/disk", read, "No such file");
  expect_refused("/tmp", read, "neither a file nor a block device");
  expect_refused("/dev/null", read, "neither a file nor a block device");
  const DiskFile empty(0);
  expect_refused(empty.path(), read, "is empty");
  const DiskFile odd(1000);
  expect_refused(odd.path(), read, "1000 bytes");
}

TEST(BlockFiles, AreOneWritersOrManyReaders) {
  const DiskFile file(4096);
  {
    const File writer(file.path(), File::Access::read_write);
    expect_refused(file.path(), File::Access::read_write, "in use by another process");
    expect_refused(file.path(), File::Access::read, "in use by another process");
  }
  const File reader(file.path(), File::Access::read);
  const File another(file.path(), File::Access::read);
  expect_refused(file.path(), File::Access::read_write, "in use by another process");
}

TEST(BlockFiles, KeepWhatWasWritten) {
  const DiskFile file(64 * 512);
  const auto bytes = block::laws::pattern({512, 64, false}, 7, 5, 1);
  {
    File device(file.path(), File::Access::read_write);
    EXPECT_TRUE(device.write(7, bytes).await_resume());
    EXPECT_TRUE(device.flush().await_resume());
  }
  File device(file.path(), File::Access::read);
  EXPECT_TRUE(base::run_now(block::laws::holds(device, {7, 5}, 1)));
}

TEST(BlockFiles, ThatBecameShorterAreUnavailable) {
  const DiskFile file(64 * 512);
  File device(file.path(), File::Access::read_write);
  std::filesystem::resize_file(file.path(), 10 * 512);
  std::vector<std::byte> bytes(512);
  EXPECT_TRUE(device.read(9, bytes).await_resume());
  EXPECT_EQ(device.read(10, bytes).await_resume().error(), block::Error::unavailable);
}

}  // namespace
