// SPDX-License-Identifier: ISC
#include "crunch/directories.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "crunch/failure.hpp"

namespace crunch {
std::string directory_of(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

void check_directory(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail("read the directory", path);
  if (!S_ISDIR(status.st_mode)) {
    throw Failure(in_quotes(path) + " is not a directory; give the directory that holds the site");
  }
}

void note_missing_index(const std::string& directory) {
  std::error_code ignored;
  const std::filesystem::path root = directory;
  if (std::filesystem::exists(root / "index.html", ignored)) return;
  std::string note = "crunch: note: there is no index.html in " + in_quotes(directory) +
                     ": / will be answered with 404";
  for (const char* known : {"public", "_site", "book", "book/html", "site", "_build/html",
                            "_build/dirhtml", "build/html", "dist"}) {
    if (!std::filesystem::exists(root / known / "index.html", ignored)) continue;
    note += "; did you mean " + in_quotes((root / known).lexically_normal().string()) + "?";
    break;
  }
  std::fprintf(stderr, "%s\n", note.c_str());
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (std::filesystem::is_directory(path)) return;
  if (std::filesystem::exists(path)) {
    throw Failure(in_quotes(path) + " is not a directory; give the name of one, or a new name");
  }
  if (!error) error = std::make_error_code(std::errc::not_a_directory);
  fail("make the directory", path, error.value());
}

NewDirectory::NewDirectory(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) path_ = path;
  make_directories(path);
}

NewDirectory::~NewDirectory() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

std::string obstacle_to_file(const std::string& path) {
  struct stat status {};
  if (path.empty()) return "the name of the file to write is empty";
  bool is_there = ::stat(path.c_str(), &status) == 0;
  if (path.ends_with('/') || (is_there && S_ISDIR(status.st_mode))) {
    return in_quotes(path) + " is a directory; give the name of a file to write";
  }
  if (is_there && !S_ISREG(status.st_mode)) {
    return in_quotes(path) + " is not an ordinary file; give another name";
  }
  std::string directory = directory_of(path);
  if (::stat(directory.c_str(), &status) != 0) {
    return sentence_of("write into", directory, errno) + "; make the directory first";
  }
  if (!S_ISDIR(status.st_mode)) return sentence_of("write into", directory, ENOTDIR);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return sentence_of("write into", directory, errno);
  }
  return "";
}

}  // namespace crunch
