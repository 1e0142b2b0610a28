// SPDX-License-Identifier: ISC
// tests/config/secrets_test.cpp: where the bytes of a secret come from, and what is said of them.
//
// Method: files in a folder of the test's own, and a vault that is a function.

#include "config/parts/secrets.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/instances.hpp"

namespace {

using config::Secret;
using From = config::Secret::From;

class Secrets : public ::testing::Test {
 protected:
  Secrets() {
    std::string name = (std::filesystem::temp_directory_path() / "secrets.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Secrets() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& content) {
    const std::string path = folder_ + "/secret";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static kv::Result<kv::SecretValue> vault(kv::Key key) {
    if (key != "acme/eab") return base::failure(kv::Error::not_found);
    base::SecretBytes bytes(4);
    std::memcpy(bytes.all().data(), "hush", 4);
    const base::Bytes all = bytes.all();
    return kv::SecretValue(std::move(bytes), all);
  }
  static std::string refusal(const Secret& secret, bool has_files, bool has_vault) {
    try {
      const auto text = config::read_secret("eab", secret, has_files,
                                            has_vault ? vault : decltype(&vault){}, "the vault v");
      return "read: " + std::string(text.view());
    } catch (const config::StartError& error) {
      return error.what();
    }
  }
  std::string folder_;
};

TEST_F(Secrets, ComeFromAFileOrTheVault) {
  const std::string path = file("hunter2 \r\n\n");
  EXPECT_EQ(config::read_secret("eab", {From::file, path}, true).view(), "hunter2");
  EXPECT_EQ(config::read_secret("eab", {From::vault, "acme/eab"}, false, vault, "v").view(),
            "hush");
  EXPECT_TRUE(config::read_secret("eab", {}, true).is_empty());
}

TEST_F(Secrets, WhatIsWrongIsSaidWithoutThem) {
  EXPECT_EQ(refusal({From::file, "/nowhere/k"}, true, true),
            "--eab: /nowhere/k cannot be read: No such file or directory");
  EXPECT_EQ(refusal({From::file, folder_}, true, true),
            "--eab: " + folder_ + " cannot be read: Is a directory");
  EXPECT_EQ(refusal({From::file, "/etc/k"}, false, true),
            "--eab names a file, and this target has none; put it into the vault");
  EXPECT_EQ(refusal({From::file, file(" \n")}, true, true),
            "--eab: " + folder_ + "/secret is empty");
  EXPECT_EQ(refusal({From::file, file(std::string(70000, 'x'))}, true, true),
            "--eab: " + folder_ + "/secret cannot be read: it has more than 64 KiB");
  EXPECT_EQ(refusal({From::vault, "acme/eab"}, true, false),
            "--eab is acme/eab in a vault, and there is no vault");
  EXPECT_EQ(refusal({From::vault, "acme/other"}, true, true),
            "--eab: acme/other in the vault v is not there");
}

}  // namespace
