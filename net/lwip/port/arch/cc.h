// SPDX-License-Identifier: ISC
// net/lwip/port/arch/cc.h: what lwIP needs from a compiler and a machine, beyond standard C.

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// These in net/lwip/memory.cpp.
void* crunch_lwip_allocate(size_t bytes);
void* crunch_lwip_allocate_zeroed(size_t count, size_t bytes);
void crunch_lwip_free(void* memory);
// What one connection may keep of segments that came before others which are missing.
uint32_t crunch_lwip_reordered_bytes_max(void);

// The others in net/lwip/port.cpp.
uint32_t crunch_lwip_random(void);
uint16_t crunch_lwip_checksum(const void* bytes, int count);
void crunch_lwip_panic(const char* file, int line, const char* what);

#ifdef __cplusplus
}
#endif

#define LWIP_RAND() crunch_lwip_random()
#define LWIP_PLATFORM_DIAG(arguments) ((void)0)
// Stays on in release: what it catches is memory about to be corrupted. The file without its
// folder, so that images are the same wherever the source lay.
#define LWIP_PLATFORM_ASSERT(what) crunch_lwip_panic(__FILE_NAME__, __LINE__, what)
#define LWIP_NO_CTYPE_H 1
