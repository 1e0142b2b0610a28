// SPDX-License-Identifier: ISC
// config/parts/challenges.hpp: where an appliance's servers find what a CA asks them for.
//
// States:  ChallengeSource.   Set by: config/parts/acme.hpp, before servers are connected.

#pragma once

#include <memory>

#include "http/challenge_texts.hpp"

namespace config {

struct ChallengeSource {
  const http::ChallengeTexts* texts = nullptr;
};

// The same for all devices of all threads.
template <class Context>
ChallengeSource& challenges_of(Context& context) {
  return context.of_appliance.template get<ChallengeSource>(
      [] { return std::make_unique<ChallengeSource>(); });
}

}  // namespace config
