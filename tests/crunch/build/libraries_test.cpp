// SPDX-License-Identifier: ISC
// Which archive members a linker's map says are in an image.
//
// Method: maps of a few lines, as GNU ld writes them.

#include "crunch/build/libraries.hpp"

#include <gtest/gtest.h>

namespace crunch::build {
namespace {

using Members = std::vector<std::string>;

TEST(LinkedMembers, AreThoseWithSomethingInMemory) {
  EXPECT_EQ(linked_members(R"(Archive member included to satisfy reference by file (symbol)

/usr/lib/libunused.a(unused.o)
                              main.o (unused)

Discarded input sections

 .text.gone     0x0000000000000000       0x40 /usr/lib/libgone.a(gone.o)

Linker script and memory map

LOAD /usr/lib/libloaded.a
 .text.short    0x0000000000401000       0x1a /usr/lib/libshort.a(short.o)
 .text._a_long_name_of_a_section
                0x0000000000401020       0x2b /usr/lib/a folder/liblong.a(long.cpp.o)
                0x0000000000401020                a_long_name
 .text.empty    0x0000000000401050        0x0 /usr/lib/libempty.a(empty.o)
 *fill*         0x0000000000401050        0x0 00
 .data          0x0000000000402000        0x8 main.o
 .debug_line    0x0000000000000000       0x99 /usr/lib/libdebug.a(debug.o)
 .comment       0x0000000000000000       0x1d /usr/lib/libdebug.a(debug.o)
)"),
            (Members{"liblong.a(long.cpp.o)", "libshort.a(short.o)"}));
}

TEST(LinkedMembers, AreNoneInWhatIsNoMapOfGnuLd) {
  EXPECT_EQ(linked_members(""), Members{});
  EXPECT_EQ(linked_members("VMA LMA Size Align Out In Symbol\n 401000 401000 1a 16 .text\n"),
            Members{});
  EXPECT_EQ(linked_members("\nLinker script and memory map\n .text 0x"), Members{});
}

}  // namespace
}  // namespace crunch::build
