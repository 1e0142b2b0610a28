// SPDX-License-Identifier: ISC
// tests/tender/guests.hpp: the guests of guests.S, by name.

#pragma once

#include <string>

// The bytes of a guest.
#define CODE(name) std::string(guest_##name, guest_##name##_end)
extern "C" {
extern const char guest_words[], guest_words_end[];
extern const char guest_entry[], guest_entry_end[];
extern const char guest_drain[], guest_drain_end[];
extern const char guest_deaf[], guest_deaf_end[];
extern const char guest_net[], guest_net_end[];
extern const char guest_ring[], guest_ring_end[];
extern const char guest_flood[], guest_flood_end[];
extern const char guest_reach[], guest_reach_end[];
extern const char guest_block[], guest_block_end[];
extern const char guest_hlt[], guest_hlt_end[];
extern const char guest_fault[], guest_fault_end[];
extern const char guest_null[], guest_null_end[];
extern const char guest_beyond[], guest_beyond_end[];
extern const char guest_overwrite[], guest_overwrite_end[];
extern const char guest_port[], guest_port_end[];
extern const char guest_in[], guest_in_end[];
extern const char guest_pointer[], guest_pointer_end[];
extern const char guest_length[], guest_length_end[];
extern const char guest_handle[], guest_handle_end[];
extern const char guest_answer[], guest_answer_end[];
}
