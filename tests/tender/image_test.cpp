// SPDX-License-Identifier: ISC
// The loader: what it takes and, as a table, everything that it refuses, with the words it uses.

#include "tender/image.hpp"

#include <gtest/gtest.h>

#include "tests/tender/sample.hpp"

namespace {

using hvt_test::Sample;
using tender::Image;
using tender::read_image;

base::Result<Image, std::string> read(const std::string& file,
                                      std::uint64_t memory = hvt_test::memory_bytes) {
  // On the heap and of its exact size, so that a sanitizer sees a read behind it.
  const std::vector<char> exact(file.begin(), file.end());
  return read_image(std::as_bytes(std::span(exact)), memory);
}

TEST(Image, SaysWhatGoesWhere) {
  const auto image = read(Sample().bytes());
  ASSERT_TRUE(image) << image.error();
  EXPECT_EQ(image->entry, 0x100010U);
  ASSERT_EQ(image->segments.size(), 2U);
  const tender::Segment& code = image->segments[0];
  EXPECT_EQ(code.begin, 0x100000U);
  EXPECT_EQ(code.end, 0x101000U);
  EXPECT_EQ(code.file_bytes, 32U);
  EXPECT_TRUE(code.executes && !code.writes);
  const tender::Segment& data = image->segments[1];
  EXPECT_EQ(data.begin, 0x102000U);
  EXPECT_EQ(data.address, 0x102008U);
  EXPECT_EQ(data.end, 0x106000U);
  EXPECT_TRUE(data.writes && !data.executes);
  EXPECT_EQ(image->kernel_end, 0x106000U);
  ASSERT_EQ(image->manifest.size(), 3U);
  EXPECT_STREQ(image->manifest[1].name, "service");
}

struct Probe {
  const char* name;
  void (*change)(Sample& sample);
  const char* words;  // of the refusal; empty: it is taken
};

void add_device(Sample& sample, const solo5::ManifestEntry& entry) {
  sample.entries.push_back(entry);
  ++sample.manifest.count;
  sample.set_sizes();
}

const Probe probes[] = {
    {"nothing", [](Sample&) {}, ""},
    {"magic", [](Sample& s) { s.header.e_ident[1] = 'F'; }, "no ELF file"},
    {"32 bits", [](Sample& s) { s.header.e_ident[EI_CLASS] = ELFCLASS32; }, "no 64-bit"},
    {"big-endian", [](Sample& s) { s.header.e_ident[EI_DATA] = ELFDATA2MSB; }, "little-endian"},
    {"version", [](Sample& s) { s.header.e_version = 2; }, "unknown version of ELF"},
    {"position-independent", [](Sample& s) { s.header.e_type = ET_DYN; }, "ELF type 3"},
    {"object", [](Sample& s) { s.header.e_type = ET_REL; }, "ELF type 1"},
    {"processor", [](Sample& s) { s.header.e_machine = EM_AARCH64; }, "another processor"},
    {"header's size", [](Sample& s) { s.header.e_ehsize = 52; }, "unknown sizes"},
    {"segments' size", [](Sample& s) { s.header.e_phentsize = 32; }, "unknown sizes"},
    {"segments far away", [](Sample& s) { s.header.e_phoff = ~0ULL; }, "cut short"},
    {"too many segments", [](Sample& s) { s.header.e_phnum = 65535; }, "cut short"},
    {"no segments", [](Sample& s) { s.header.e_phnum = 0; }, "no Solo5 ABI note"},
    {"no ABI", [](Sample& s) { s.abi_note.p_type = PT_NULL; }, "no Solo5 ABI note"},
    {"ABI's name", [](Sample& s) { s.abi_head.name[4] = '6'; }, "no Solo5 ABI note"},
    {"ABI's name's end", [](Sample& s) { s.abi_head.name[5] = 'x'; }, "no Solo5 ABI note"},
    {"ABI's name's size", [](Sample& s) { s.abi_head.head.n_namesz = 5; }, "no Solo5 ABI note"},
    {"ABI's size", [](Sample& s) { s.abi_head.head.n_descsz = 12; }, "wrong size"},
    {"ABI's size too large", [](Sample& s) { s.abi_head.head.n_descsz = ~0U; }, "no Solo5 ABI"},
    {"target", [](Sample& s) { s.abi.target = 2; }, "another of Solo5's targets (number 2)"},
    {"ABI of yesterday", [](Sample& s) { s.abi.version = 1; }, "version 1 of the hvt ABI"},
    {"ABI of tomorrow", [](Sample& s) { s.abi.version = 3; }, "version 3 of the hvt ABI"},
    {"no manifest", [](Sample& s) { s.manifest_note.p_type = PT_NULL; }, "no Solo5 manifest"},
    {"manifest too small", [](Sample& s) { --s.manifest_head.head.n_descsz; }, "wrong size"},
    {"manifest too large",
     [](Sample& s) { s.manifest_note.p_filesz = ++s.manifest_head.head.n_descsz + 20U; },
     "wrong size"},
    {"manifest without entries", [](Sample& s) { s.manifest.count = 0; }, "0 entries"},
    {"manifest of 65", [](Sample& s) { s.manifest.count = 65; }, "65 entries"},
    {"manifest of 2^32 - 1", [](Sample& s) { s.manifest.count = ~0U; }, "4294967295 entries"},
    {"one entry more", [](Sample& s) { s.manifest.count = 4; }, "wrong size"},
    {"one entry less", [](Sample& s) { s.manifest.count = 2; }, "wrong size"},
    {"manifest's version", [](Sample& s) { s.manifest.version = 2; }, "version 2, not 1"},
    {"first entry named", [](Sample& s) { s.entries[0].name[0] = 'a'; }, "not the reserved one"},
    {"first entry a device", [](Sample& s) { s.entries[0].type = solo5::DeviceType::net; },
     "not the reserved one"},
    {"second reserved", [](Sample& s) { s.entries[1].type = solo5::DeviceType::reserved_first; },
     "unknown type"},
    {"type", [](Sample& s) { s.entries[1].type = solo5::DeviceType{3}; }, "unknown type 3"},
    {"attached", [](Sample& s) { s.entries[2].attached = 1; }, "attached already"},
    {"attached by another bit", [](Sample& s) { s.entries[2].attached = 2; }, "attached already"},
    {"no name", [](Sample& s) { s.entries[1].name[0] = 0; }, "letters and digits"},
    {"name with a dash", [](Sample& s) { s.entries[1].name[3] = '-'; }, "letters and digits"},
    {"name without an end",
     [](Sample& s) { std::memset(s.entries[1].name, 'a', sizeof s.entries[1].name); },
     "without an end"},
    {"two of a name",
     [](Sample& s) { add_device(s, hvt_test::device("service", solo5::DeviceType::net)); },
     "the name of another"},
    {"longest name",
     [](Sample& s) { std::memset(s.entries[1].name, 'a', sizeof s.entries[1].name - 1); }, ""},
    {"writable and executable", [](Sample& s) { s.data.p_flags |= PF_X; }, "writable and exec"},
    {"address 0", [](Sample& s) { s.code.p_vaddr = 0; }, "below 1 MiB"},
    {"one byte below 1 MiB", [](Sample& s) { s.code.p_vaddr = 0xfffff; }, "below 1 MiB"},
    {"below 1 MiB by alignment", [](Sample& s) { s.code.p_align = 0x200000; },
     "below 1 MiB once it is aligned"},
    {"overlap", [](Sample& s) { s.data.p_vaddr = 0x100010; }, "overlaps"},
    {"same page", [](Sample& s) { s.data.p_vaddr = 0x100fff; }, "overlaps"},
    {"next page", [](Sample& s) { s.data.p_vaddr = 0x101000; }, ""},
    {"wrong order", [](Sample& s) { s.code.p_vaddr = 0x200000; }, "overlaps"},
    {"alignment 0", [](Sample& s) { s.data.p_align = 0; }, "alignment"},
    {"alignment below a page", [](Sample& s) { s.data.p_align = 0x800; }, "alignment"},
    {"alignment of no power", [](Sample& s) { s.data.p_align = 0x3000; }, "alignment"},
    {"alignment 2^63", [](Sample& s) { s.data.p_align = 1ULL << 63U; }, "behind the guest's mem"},
    {"alignment 4 GiB", [](Sample& s) { s.data.p_align = 1ULL << 32U; }, "behind the guest's mem"},
    {"behind memory", [](Sample& s) { s.data.p_vaddr = 0x400000; }, "behind the guest's memory"},
    {"across memory's end", [](Sample& s) { s.data.p_memsz = 0x2fe000; }, "behind the guest's"},
    {"up to memory's end", [](Sample& s) { s.data.p_memsz = 0x2fdff8; }, ""},
    {"end wraps", [](Sample& s) { s.data.p_memsz = ~0ULL; }, "behind the guest's memory"},
    {"address wraps", [](Sample& s) { s.data.p_vaddr = ~0ULL; }, "behind the guest's memory"},
    {"file larger than memory", [](Sample& s) { s.data.p_memsz = 3; }, "more bytes in the file"},
    {"file part wraps", [](Sample& s) { s.data.p_filesz = ~0ULL; }, "cut short"},
    {"offset wraps", [](Sample& s) { s.data.p_offset = ~0ULL; }, "cut short"},
    {"note's offset wraps", [](Sample& s) { s.abi_note.p_offset = ~0ULL; }, "no Solo5 ABI note"},
    {"note's size wraps", [](Sample& s) { s.abi_note.p_filesz = ~0ULL; }, "no Solo5 ABI note"},
    {"nothing to load", [](Sample& s) { s.code.p_filesz = s.data.p_filesz = 0; },
     "nothing to load"},
    {"a part of zeros may lie anywhere", [](Sample& s) { s.data.p_filesz = s.data.p_vaddr = 0; },
     ""},
    {"physical addresses do not count", [](Sample& s) { s.code.p_paddr = ~0ULL; }, ""},
    {"entry 0", [](Sample& s) { s.header.e_entry = 0; }, "outside its code"},
    {"entry below 1 MiB", [](Sample& s) { s.header.e_entry = 0xfffff; }, "outside its code"},
    {"entry behind memory", [](Sample& s) { s.header.e_entry = 0x400000; }, "outside its code"},
    {"entry in data", [](Sample& s) { s.header.e_entry = 0x102008; }, "outside its code"},
    {"entry between", [](Sample& s) { s.header.e_entry = 0x101000; }, "outside its code"},
};

TEST(Image, IsRefusedForEachRule) {
  for (const Probe& probe : probes) {
    SCOPED_TRACE(probe.name);
    Sample sample;
    probe.change(sample);
    const auto image = read(sample.bytes());
    const std::string why = image ? "" : image.error();
    if (*probe.words == '\0') {
      EXPECT_EQ(why, "");
    } else {
      EXPECT_NE(why.find(probe.words), std::string::npos) << why;
      EXPECT_EQ(why.find('\n'), std::string::npos);
    }
  }
}

TEST(Image, IsRefusedWhenItIsCutAtAnyByte) {
  const std::string whole = Sample().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto image = read(whole.substr(0, size));
    ASSERT_FALSE(image) << "cut to " << size << " bytes";
    ASSERT_FALSE(image.error().empty());
  }
  EXPECT_TRUE(read(whole));
}

TEST(Image, HasOnlyTheFirstNoteOfEachPart) {
  Sample sample;
  // Both notes in one part: the second one is not seen.
  sample.abi_note.p_filesz += sample.manifest_note.p_filesz;
  sample.manifest_note.p_type = PT_NULL;
  const auto image = read(sample.bytes());
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().find("no Solo5 manifest"), std::string::npos);
}

TEST(Image, MayHave64Entries) {
  Sample sample;
  while (sample.entries.size() < solo5::manifest_entries_max) {
    const std::string name = "net" + std::to_string(sample.entries.size());
    add_device(sample, hvt_test::device(name, solo5::DeviceType::net));
  }
  const auto image = read(sample.bytes());
  ASSERT_TRUE(image) << image.error();
  EXPECT_EQ(image->manifest.size(), solo5::manifest_entries_max);
}

TEST(Image, NeedsItsMemory) {
  EXPECT_TRUE(read(Sample().bytes(), 0x200000));
  Sample large;
  large.data.p_memsz = 0x200000;
  EXPECT_FALSE(read(large.bytes(), 0x200000));
  EXPECT_TRUE(read(large.bytes(), 0x400000));
}

}  // namespace
