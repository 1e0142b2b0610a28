// SPDX-License-Identifier: ISC
// tests/targets/unix/sandbox_vault_test.cpp: a sealed process changes its vault, and nothing else.
//
// Method: as sandbox_test.cpp; the system calls are those that config/parts/vaults.hpp declares.

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "block/file/file.hpp"
#include "config/parts/vaults.hpp"
#include "kv/directory/writable.hpp"
#include "tests/targets/unix/sealed.hpp"

namespace {

using unix_target::Sandbox;
using unix_target::User;

class Vaults : public FilesTest {};

int in_words(const kv::ChangeResult<void>& result) {
  return result ? 0 : 1 + static_cast<int>(result.error());
}

TEST_F(Vaults, ADirectoryVaultIsChangedAndNothingElse) {
  std::filesystem::create_directories(root / "vault");
  write("outside/old");
  kv::WritableDirectory vault(path("vault"));
  kv::WritableDirectory other(path("outside"));
  const std::string folders[] = {path("vault")};
  const Sandbox sandbox{.system_calls = config::ConnectDirectoryVault::system_calls,
                        .read_again = folders,
                        .change_beneath = folders};
  const auto bytes = [](std::string_view text) { return base::bytes_of(text); };
  const End end = sealed(sandbox, [&] {
    if (!vault.set("tls/cert", bytes("one")).value) return 1;
    if (!vault.set("tls/cert", bytes("two")).value) return 2;
    if (!vault.set("acme/a/key", bytes("key")).value) return 3;
    const auto value = vault.get("tls/cert", kv::Encoding::identity).value;
    if (!value || base::text_of(*value) != "two") return 4;
    if (!vault.remove("acme/a/key").value) return 5;
    const auto listed = vault.list("").value;
    if (!listed || listed->size() != 1) return 6;
    return 0;
  });
  EXPECT_EQ(end.status, 0) << end.said;
  EXPECT_EQ(end.said, "");
  EXPECT_TRUE(std::filesystem::exists(root / "vault/tls/cert"));
  EXPECT_FALSE(std::filesystem::exists(root / "vault/acme"));
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock: the rest is not checked";
  const End elsewhere = sealed(sandbox, [&] {
    if (in_words(other.set("new", bytes("x")).value) == 0) return 1;
    if (in_words(other.set("old", bytes("x")).value) == 0) return 2;
    if (in_words(other.remove("old").value) == 0) return 3;
    const std::string out = path("outside");
    const std::string in = path("vault");
    const auto file = [](const std::string& folder, const char* name) { return folder + name; };
    if (::mkdirat(AT_FDCWD, file(out, "/folder").c_str(), 0700) == 0) return 4;
    if (::renameat(AT_FDCWD, file(in, "/tls/cert").c_str(), AT_FDCWD, file(out, "/cert").c_str()) ==
        0) {
      return 5;
    }
    if (::renameat(AT_FDCWD, file(out, "/old").c_str(), AT_FDCWD, file(in, "/old").c_str()) == 0) {
      return 6;
    }
    // The folder itself belongs to its parent.
    return ::unlinkat(AT_FDCWD, in.c_str(), AT_REMOVEDIR) == 0 ? 7 : 0;
  });
  EXPECT_EQ(elsewhere.status, 0) << elsewhere.said;
  EXPECT_TRUE(std::filesystem::exists(root / "outside/old"));
  EXPECT_TRUE(std::filesystem::exists(root / "vault/tls/cert"));
  const std::string cert = path("vault/tls/cert");
  EXPECT_TRUE(
      WIFSIGNALED(sealed(sandbox, call(SYS_openat, AT_FDCWD, cert.c_str(), O_WRONLY)).status));
}

TEST_F(Vaults, TheRootIsNoVaultOfASealedProcess) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  const std::string folders[] = {"/"};
  const End end = sealed(
      {.system_calls = config::ConnectDirectoryVault::system_calls, .change_beneath = folders},
      [this] { return ::mkdirat(AT_FDCWD, path("x").c_str(), 0700); });
  EXPECT_NE(end.status, 0);
  EXPECT_NE(end.said.find("is the root folder, beneath which nothing can be changed"),
            std::string::npos)
      << end.said;
}

TEST_F(Vaults, AVaultOfAnotherUserIsAWarning) {
  if (geteuid() != 0) GTEST_SKIP() << "takes root";
  std::filesystem::create_directories(root / "vault");
  ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
  const std::string folders[] = {path("vault")};
  const auto nothing = [] { return 0; };
  EXPECT_EQ(sealed({.change_beneath = folders}, nothing).said, "");
  const End end = sealed({.user = User{65534, 65534}, .change_beneath = folders}, nothing);
  EXPECT_EQ(end.status, 0);
  EXPECT_NE(end.said.find(folders[0] + " cannot be changed by user 65534"), std::string::npos)
      << end.said;
}

TEST_F(Vaults, AFileVaultIsWrittenByWhatWasOpenBefore) {
  std::ofstream(root / "disk") << std::string(4096, '\0');
  block::File device(path("disk"), block::File::Access::read_write);
  const std::array<std::byte, 512> sector{std::byte{7}};
  const End end = sealed({.system_calls = config::ConnectFileVault::system_calls}, [&] {
    std::array<std::byte, 512> again{};
    const bool is_done = device.write(1, sector).value && device.flush().value &&
                         device.read(1, again).value && again == sector;
    return is_done ? 0 : 1;
  });
  EXPECT_EQ(end.status, 0) << end.said;
  EXPECT_EQ(end.said, "");
  const std::string disk = path("disk");
  EXPECT_TRUE(WIFSIGNALED(sealed({.system_calls = config::ConnectFileVault::system_calls},
                                 call(SYS_openat, AT_FDCWD, disk.c_str(), O_RDWR))
                              .status));
}

}  // namespace
