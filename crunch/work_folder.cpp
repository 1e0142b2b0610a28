// SPDX-License-Identifier: ISC
#include "crunch/work_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "crunch/directories.hpp"
#include "crunch/failure.hpp"
#include "crunch/temporary.hpp"

namespace crunch {
WorkFolder::WorkFolder(const std::string& beside) {
  std::string directory = directory_of(beside);
  remove_abandoned(directory);
  for (int attempt = 0; attempt < temporary_attempts_max; ++attempt) {
    const std::string path =
        std::filesystem::absolute(directory + "/" + temporary_name()).lexically_normal().string();
    if (::mkdir(path.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      fail("make a folder in", directory);
    }
    const std::string lock = path + std::string(lock_name);
    lock_ = base::Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_ || !lock_temporary(lock_, lock)) continue;
    path_ = path;
    return;
  }
  throw Failure("cannot make a folder in " + in_quotes(directory) + " that stays");
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace crunch
