// SPDX-License-Identifier: ISC
#include "tls/challenges.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tls {
namespace {

// As names are compared: RFC 4343.
std::string lower(std::string_view host) {
  std::string out(host);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

}  // namespace

base::Result<void, std::string> Challenges::set(std::string_view host,
                                                const CredentialFile& certificate,
                                                const CredentialFile& key, base::Entropy& entropy) {
  auto identity = Identity::make_challenge(certificate, key, entropy);
  if (!identity) return base::Failure<std::string>(identity.error());
  std::vector<Identity> identities;
  identities.push_back(std::move(*identity));
  auto context =
      std::make_shared<const Context>(std::move(identities), entropy, Purpose::challenge);
  std::string name = lower(host);
  const std::lock_guard lock(mutex_);
  if (contexts_.size() >= count_max && !contexts_.contains(name)) {
    return base::Failure<std::string>("there are " + std::to_string(count_max) +
                                      " challenges of CAs, as many as there may be");
  }
  contexts_.insert_or_assign(std::move(name), std::move(context));
  return {};
}

void Challenges::remove(std::string_view host) {
  const std::string name = lower(host);
  const std::lock_guard lock(mutex_);
  contexts_.erase(name);
}

std::shared_ptr<const Context> Challenges::find(std::string_view host) const {
  const std::string name = lower(host);
  const std::lock_guard lock(mutex_);
  const auto found = contexts_.find(name);
  return found != contexts_.end() ? found->second : nullptr;
}

}  // namespace tls
