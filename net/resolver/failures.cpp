// SPDX-License-Identifier: ISC
#include "net/resolver/failures.hpp"

#include <new>
#include <span>

#include "net/resolver/special.hpp"

namespace net::resolver {

namespace {

std::string_view text_of(net::Error error) {
  switch (error) {
    case net::Error::timed_out:
      return "did not answer in time";
    case net::Error::cancelled:
      return "was given up";
    case net::Error::ended:
    case net::Error::reset:
      break;
  }
  return "refused or cannot be reached";
}

}  // namespace

void Candidates::add(Type type, const Answer& answer) noexcept {
  (type == Type::a ? v4_ : v6_).answer = answer;
}

std::optional<Endpoint> Candidates::next(std::uint16_t port) noexcept {
  if (!has_next()) return std::nullopt;
  const bool is_v6 = v6_.has_next() && (!last_was_v6_ || !v4_.has_next());
  Family& family = is_v6 ? v6_ : v4_;
  Endpoint endpoint = (*family.answer)->addresses.at(family.tried++);
  endpoint.port = port;
  last_was_v6_ = is_v6;
  return endpoint;
}

void Candidates::failed(const Endpoint& address, net::Error error) noexcept {
  failed_.at(failed_count_++) = {address, error};
}

// What the lookups came to, where no address was there to be tried.
void Candidates::say_lookup(std::string& out) const {
  constexpr auto heard = [](const Family& family) {
    return family.answer && !*family.answer ? std::optional(family.answer->error()) : std::nullopt;
  };
  const std::optional<Error> v6 = heard(v6_);
  const std::optional<Error> v4 = heard(v4_);
  // Of "it has none" and "nobody knows" the second is the reason.
  const Error least = Error::timed_out;
  Error why = v4.value_or(v6.value_or(least));
  if (v6 && why == Error::no_address) why = *v6;
  out += resolver::text_of(why);
}

ConnectFailure Candidates::failure(std::string_view host, std::uint16_t port,
                                   bool is_late) const noexcept {
  ConnectFailure failure;
  const std::span<const Failed> failed = std::span(failed_).first(failed_count_);
  bool all_timed_out = true;
  for (const Failed& each : failed) {
    all_timed_out = all_timed_out && each.error == net::Error::timed_out;
  }
  if (is_late || (all_timed_out && !failed.empty())) failure.error = net::Error::timed_out;
  try {
    const bool is_v6 = host.find(':') != std::string_view::npos;
    failure.what += is_v6 ? "[" : "";
    failure.what.append(host).append(is_v6 ? "]:" : ":").append(std::to_string(port));
    if (failed.empty()) {
      failure.what += ' ';
      say_lookup(failure.what);
      return failure;
    }
    std::string_view separator = ": ";
    for (const Failed& each : failed) {
      failure.what.append(separator).append(address_text(each.address)).append(" ");
      failure.what += text_of(each.error);
      separator = "; ";
    }
  } catch (const std::bad_alloc&) {
    failure.what.clear();
  }
  return failure;
}

}  // namespace net::resolver
