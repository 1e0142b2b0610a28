// SPDX-License-Identifier: ISC
#include "http/site/auth.hpp"

#include <algorithm>
#include <optional>

#include "crypto/hash.hpp"
#include "crypto/secret.hpp"
#include "http/site/pattern.hpp"
#include "http/writer.hpp"

namespace http::site {
namespace {

using std::string_view;

constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The time depends on the sizes only.
bool is_same(string_view a, string_view b) noexcept {
  return crypto::equal_secret(base::bytes_of(a), base::bytes_of(b));
}

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// RFC 4648 section 4. Nothing: it is no such text, or too long for `out`.
std::optional<string_view> decode_base64(string_view text, std::span<char> out) noexcept {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() / 4 * 3 + 3 > out.size() || text.size() % 4 == 1) return std::nullopt;
  std::size_t size = 0;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const int value = value_of(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6U | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[size++] = static_cast<char>(bits >> count & 0xFFU);
    }
  }
  return string_view(out.data(), size);
}

// Whether it names one of `users` and has that one's password.
bool is_known(const Plan& plan, Range users, string_view authorization) noexcept {
  constexpr string_view scheme = "basic ";
  if (authorization.size() < scheme.size() ||
      !std::ranges::equal(authorization.substr(0, scheme.size()), scheme, {}, small)) {
    return false;
  }
  authorization.remove_prefix(scheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  std::array<char, 2 * credential_bytes_max + 4> buffer;
  const std::optional<string_view> pair = decode_base64(authorization, buffer);
  if (!pair) return false;
  const std::size_t colon = pair->find(':');
  if (colon == string_view::npos || pair->size() - colon > credential_bytes_max) return false;
  // All users are looked at, and a password is digested also where there is none of the name.
  const UserRecord* user = nullptr;
  for (const UserRecord& one : plan.users(users)) {
    if (is_same(plan.text(one.name), pair->substr(0, colon))) user = &one;
  }
  const bool is_there = user != nullptr;
  if (!is_there) user = plan.users(users).data();
  if (users.count == 0) return false;
  const PasswordDigest digest = digest_of_password(plan.text(user->salt), pair->substr(colon + 1));
  const string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  const bool is_right = is_same(bytes, plan.text(user->digest));
  return is_there && is_right;
}

class Locks {
 public:
  Locks(const Plan& plan, const SiteRecord& site, string_view address, string_view host) noexcept
      : plan_(plan),
        site_(static_cast<std::uint32_t>(&site - plan.sites().data())),
        address_(address),
        host_(host) {}

  // The one that counts; null: there is none.
  [[nodiscard]] const LockRecord* find() noexcept {
    const LockRecord* found = nullptr;
    bool is_excepted = false;
    for (const LockRecord& lock : plan_.locks()) {
      if (lock.kind == LockKind::exception) {
        is_excepted = is_excepted || fits(lock);
      } else if ((lock.site == all_sites || lock.site == site_) && fits(lock)) {
        found = &lock;
      }
    }
    const bool is_open = found != nullptr && found->site == all_sites && is_excepted;
    return is_open ? nullptr : found;
  }

 private:
  bool fits(const LockRecord& lock) noexcept {
    Captures captures;
    string_view text = address_;
    if (lock.kind == LockKind::host_and_path) {
      Writer out(whole_);
      for (const char c : host_) out.text({std::array{small(c)}.data(), 1});
      out.text(address_);
      if (out.overflowed()) return true;  // in doubt it is locked
      text = out.written();
    }
    return matches(plan_, lock.pattern, text, lock.kind != LockKind::exception, captures);
  }

  const Plan& plan_;
  const std::uint32_t site_;
  const string_view address_, host_;
  std::array<char, 1024> whole_;
};

}  // namespace

PasswordDigest digest_of_password(string_view salt, string_view password) noexcept {
  crypto::Sha256 sha256;
  sha256.update(base::bytes_of(salt));
  sha256.update(base::bytes_of(password));
  return sha256.finish();
}

Access access_of(const Plan& plan, const SiteRecord& site, string_view address, string_view host,
                 string_view authorization) noexcept {
  if (plan.locks().empty() || address.starts_with("/.well-known/acme-challenge/")) {
    return Access::open;
  }
  const LockRecord* lock = Locks(plan, site, address, host).find();
  if (lock == nullptr) return Access::open;
  return is_known(plan, lock->users, authorization) ? Access::granted : Access::denied;
}

}  // namespace http::site
