// SPDX-License-Identifier: ISC
// What tests/targets/libos/probe.cpp takes as a guest of a tender: nothing.

void begin_machine();

void begin_machine() {}
