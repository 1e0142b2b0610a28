// SPDX-License-Identifier: ISC
// What tests/targets/libos/probe.cpp takes as a guest of a tender: a manifest, as every image has.

#include "targets/hvt/notes.hpp"

void begin_machine();

void begin_machine() { hvt_target::need_manifest<0>(); }
