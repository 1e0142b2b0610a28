// SPDX-License-Identifier: ISC
// crunch/work_folder.hpp: a temporary folder for the steps towards a file.
//
// States:  WorkFolder.   Used by: crunch/{build,describe,package}.

#pragma once

#include <string>

#include "base/descriptor.hpp"

namespace crunch {

// A temporary folder in the directory of the file `beside`, so that a result can be renamed into
// place. The destructor removes it with everything in it.
class WorkFolder {
 public:
  // Throws a Failure if it cannot be made.
  explicit WorkFolder(const std::string& beside);
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder();
  // Absolute.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  base::Descriptor lock_;  // tells other processes that the folder is in use (temporary.hpp)
};

}  // namespace crunch
