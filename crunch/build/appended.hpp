// SPDX-License-Identifier: ISC
// crunch/build/appended.hpp: appends a site's content to a linked image, where it is mapped.
//
// States:  append_content.   Used by: crunch/build/build.
// Why:     an assembler and a linker take the content into their memory and write it anew, and the
//          C library's objects reach the image's end by 32 bits: more than 2 GiB do not link.
// How:     the linked image has one page with a mark in the content's place, in .lrodata, which is
//          what linkers put last. The segment that it is in moves to the end of the file, where the
//          content follows, and its program header grows by that. Addresses stay as they are.
// Source:  the System V ABI, chapter 5 (program headers), and its AMD64 supplement, section 4.2.1.

#pragma once

#include <string>

namespace crunch::build {

// `content` is a file; its holes stay holes. A Failure if the image has no such page, or if
// something else of its own stands behind it in memory.
void append_content(const std::string& image, const std::string& content);

}  // namespace crunch::build
