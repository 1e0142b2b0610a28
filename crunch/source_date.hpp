// SPDX-License-Identifier: ISC
// crunch/source_date.hpp: times that crunch writes: SOURCE_DATE_EPOCH, and times as text.
//
// States:  source_date_epoch, utc_text.   Used by: crunch/{embed,inspect,disk}.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace crunch {

// The last second of the year 9999: all that HTTP's dates can say.
inline constexpr std::int64_t modified_s_max = 253'402'300'799;

// The environment variable SOURCE_DATE_EPOCH, in seconds since 1970; nothing if it is not set or
// empty. If it is set, it is the time of every file, so that a fresh checkout, whose files are as
// old as the checkout, makes the same image. A Failure if it is not a number in range.
// Source: https://reproducible-builds.org/specs/source-date-epoch
[[nodiscard]] std::optional<std::int64_t> source_date_epoch();

// "2020-09-13T12:26:40Z" (RFC 3339) of seconds since 1970.
[[nodiscard]] std::string utc_text(std::int64_t seconds);

}  // namespace crunch
