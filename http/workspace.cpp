// SPDX-License-Identifier: ISC
#include "http/workspace.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace http {

namespace {

struct Sizes {
  std::size_t received, key, out;
  explicit Sizes(const Options& options)
      : received(Workspace::first_buffer_bytes),
        key(options.target_bytes_max + lookup_slack),
        out(std::max(Workspace::out_bytes, 2 * options.copy_bytes_max)) {}
};

}  // namespace

Workspace::Workspace(const Options& options) : out({}), parser(options) {
  Sizes sizes(options);
  memory = std::make_unique_for_overwrite<char[]>(sizes.received + sizes.key + sizes.out);
  received = {memory.get(), sizes.received};
  key = {received.data() + received.size(), sizes.key};
  out = Writer({key.data() + key.size(), sizes.out});
}

void Workspace::reset() noexcept {
  begin = end = 0;
  out.rewind(0);
  parser.reset();
  body.end();
  large.reset();
  received = {memory.get(), first_buffer_bytes};
}

void Workspace::compact() noexcept {
  std::memmove(received.data(), received.data() + begin, end - begin);
  end -= begin;
  begin = 0;
}

bool WorkspacePool::grow(Workspace& workspace) noexcept {
  const std::size_t size = options_.header_bytes_max + Workspace::body_room_bytes;
  if (workspace.received.size() >= size || large_count_ >= large_max()) return false;
  std::unique_ptr<char[]> larger(new (std::nothrow) char[size]);
  if (larger == nullptr) return false;
  ++large_count_;
  workspace.compact();
  std::memcpy(larger.get(), workspace.received.data(), workspace.end);
  workspace.large = std::move(larger);
  workspace.received = {workspace.large.get(), size};
  return true;
}

std::unique_ptr<Workspace> WorkspacePool::take() noexcept {
  if (!free_.empty()) {
    std::unique_ptr<Workspace> workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  try {
    free_.reserve(kept_max);  // so that `give` cannot fail
    return std::make_unique<Workspace>(options_);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void WorkspacePool::give(std::unique_ptr<Workspace> workspace) noexcept {
  if (workspace->large != nullptr) --large_count_;
  if (free_.size() >= kept()) return;
  workspace->reset();
  free_.push_back(std::move(workspace));
}

}  // namespace http
