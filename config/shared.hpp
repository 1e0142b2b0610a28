// SPDX-License-Identifier: ISC
// config/shared.hpp: what devices share that are not built from one another.
//
// States:  Shared: one object for each type, made when it is first asked for.
// Owns:    these objects; they are destroyed in the reverse order of their making.

#pragma once

#include <list>
#include <memory>
#include <mutex>

namespace config {

class Shared {
 public:
  Shared() = default;
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    while (!objects_.empty()) objects_.pop_back();
  }

  // The T, which lives as long as this; make() gives a std::unique_ptr<T>, if there is none yet.
  // Threads may ask at the same time; make() must not ask.
  template <class T, class Make>
  T& get(const Make& make) {
    const std::lock_guard lock(mutex_);
    for (const Object& object : objects_) {
      if (object.type == &type_of<T>) return *static_cast<T*>(object.object.get());
    }
    objects_.push_back({&type_of<T>, std::shared_ptr<void>(make())});
    return *static_cast<T*>(objects_.back().object.get());
  }

 private:
  template <class T>
  static constexpr char type_of = 0;  // its address stands for the type
  struct Object {
    const char* type;
    std::shared_ptr<void> object;
  };
  std::mutex mutex_;
  std::list<Object> objects_;
};

}  // namespace config
