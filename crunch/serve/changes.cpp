// SPDX-License-Identifier: ISC
#include "crunch/serve/changes.hpp"

namespace crunch::serve {

void Changes::note(Change change) noexcept {
  if (change == Change::none) return;
  ++current_;
  if (change == Change::page) last_page_ = current_;
  wake_all();
}

void Changes::stop() noexcept {
  stopped_ = true;
  wake_all();
}

void Changes::wake_all() noexcept {
  while (waits_ != nullptr) waits_->wake();
}

void Changes::Wait::await_suspend(std::coroutine_handle<> waiting) {
  resumption_.waiting = waiting;
  arm(changes_.loop_.now() + within_);
  after_ = changes_.waits_;
  if (after_ != nullptr) after_->before_ = this;
  changes_.waits_ = this;
  linked_ = true;
  ++changes_.waiting_count_;
}

void Changes::Wait::wake() noexcept {
  disarm();
  unlink();
  changes_.loop_.schedule(resumption_);
}

void Changes::Wait::unlink() noexcept {
  if (!linked_) return;
  linked_ = false;
  --changes_.waiting_count_;
  (before_ != nullptr ? before_->after_ : changes_.waits_) = after_;
  if (after_ != nullptr) after_->before_ = before_;
}

}  // namespace crunch::serve
