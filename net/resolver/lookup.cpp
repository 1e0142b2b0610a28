// SPDX-License-Identifier: ISC
#include "net/resolver/lookup.hpp"

#include <algorithm>
#include <span>

namespace net::resolver {

Lookup::Lookup(base::Entropy& entropy, const Name& name, Type type,
               const NameServers::List& servers) noexcept
    : entropy_(entropy), servers_(servers), question_{name, type, 0} {
  if (servers.all().empty()) {
    finish(base::failure(Error::no_servers), 0);
  } else {
    begin();
  }
}

void Lookup::begin() noexcept {
  entropy_.fill(std::as_writable_bytes(std::span(&question_.id, 1)));
  foreign_count_ = 0;
}

base::Bytes Lookup::question() noexcept { return encode(question_, bytes_); }

base::Duration Lookup::patience() const noexcept {
  return next_ == Next::tcp ? tcp_patience : first_patience * (1U << round_);
}

void Lookup::finish(const Answer& answer, std::uint32_t lifetime_s) noexcept {
  next_ = Next::done;
  answer_ = answer;
  lifetime_s_ = std::min(lifetime_s_, lifetime_s);
}

void Lookup::give_up_server(Error why) noexcept {
  // What any server says counts for more than that another was silent.
  if (why == Error::failed) answer_ = base::failure(why);
  next_ = Next::udp;
  if (++server_ == servers_.all().size()) {
    server_ = 0;
    if (++round_ == rounds_max) {
      finish(answer_, 0);
      return;
    }
  }
  begin();
}

void Lookup::missed() noexcept { give_up_server(Error::timed_out); }

void Lookup::turn_to(const Reply& reply) noexcept {
  if (++alias_count_ > aliases_max) {
    finish(base::failure(Error::failed), 0);
    return;
  }
  lifetime_s_ = std::min(lifetime_s_, reply.lifetime_s);
  question_.name = reply.alias;
  next_ = Next::udp;
  begin();
}

bool Lookup::heard(base::Bytes message) noexcept {
  const Reply reply = parse(message, question_);
  switch (reply.kind) {
    case Reply::Kind::foreign:
      if (next_ == Next::tcp) {
        give_up_server(Error::failed);
        return true;
      }
      if (++foreign_count_ < foreign_max) return false;
      next_ = Next::tcp;
      begin();
      return true;
    case Reply::Kind::truncated:
      if (next_ == Next::tcp) {
        give_up_server(Error::failed);
      } else {
        next_ = Next::tcp;
        begin();
      }
      return true;
    case Reply::Kind::failed:
      give_up_server(Error::failed);
      return true;
    case Reply::Kind::alias:
      turn_to(reply);
      return true;
    case Reply::Kind::addresses:
      finish(Found{reply.addresses, reply.count}, reply.lifetime_s);
      return true;
    case Reply::Kind::no_such_name:
      finish(base::failure(Error::no_such_name), reply.lifetime_s);
      return true;
    case Reply::Kind::no_address:
      finish(base::failure(Error::no_address), reply.lifetime_s);
      return true;
  }
  return true;
}

}  // namespace net::resolver
