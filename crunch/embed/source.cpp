// SPDX-License-Identifier: ISC
// The part of emit.hpp that writes C++.
#include <fcntl.h>

#include <array>
#include <string>

#include "crunch/embed/emit.hpp"
#include "crunch/failure.hpp"
#include "crunch/version.hpp"

namespace crunch::embed {
namespace {

std::string opening(const Site& site, const std::string& digest) {
  return "// crunched_" + site.name + ": " + std::to_string(site.files.size()) +
         " files, made by crunch " CRUNCH_VERSION ".\n// Site digest " + digest +
         ".\n// Do not edit: the next `crunch embed` overwrites it.\n\n";
}

std::string closing(const Site& site, const std::string& index, const std::string& content) {
  return "extern \"C\" {\nextern const kv::crunched::Site crunched_" + site.name +
         ";\nconst kv::crunched::Site crunched_" + site.name + "{\"" + site.name + "\", " + index +
         ", " + content + "};\n}\n";
}

// One file, pulled in. The .org stops the assembler if there is more of it than the C++ says: files
// of two runs never meet in one object.
std::string incbin(const std::string& file, const std::string& symbol, std::uint64_t size_bytes) {
  return ".globl " + symbol + "\n.hidden " + symbol + "\n" + symbol + ":\n.incbin \"" + file +
         "\"\n.org " + symbol + " + " + std::to_string(size_bytes) + "\n";
}

// Appends `bytes` to a string literal. Octal escapes have three digits at most, so that nothing
// that follows can become part of them; '?' could begin a trigraph.
void append_literal(std::string& out, base::Bytes bytes) {
  for (std::byte byte : bytes) {
    auto c = static_cast<unsigned char>(byte);
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '?') {
      out += static_cast<char>(c);
      continue;
    }
    out += '\\';
    out += static_cast<char>('0' + (c >> 6U));
    out += static_cast<char>('0' + ((c >> 3U) & 7U));
    out += static_cast<char>('0' + (c & 7U));
  }
}

// `const char <name>[]` of adjacent literals, each of bounded size; `read` gives the bytes.
constexpr std::size_t literal_bytes = 64;
template <class Read>
void write_array(NewFile& out, const std::string& name, Read read) {
  out.write("alignas(16) const char " + name + "[] =\n");
  std::vector<std::byte> piece(literal_bytes * 1024);
  std::uint64_t offset = 0;
  std::string lines;
  while (std::size_t count = read(offset, piece)) {
    lines.clear();
    for (std::size_t at = 0; at < count; at += literal_bytes) {
      lines += '"';
      append_literal(lines, base::Bytes(piece).subspan(at, std::min(literal_bytes, count - at)));
      lines += "\"\n";
    }
    out.write(lines);
    offset += count;
  }
  if (offset == 0) out.write("\"\"\n");
  out.write(";\n");
}

}  // namespace

std::string source_of(const Site& site, const std::string& digest, std::uint64_t index_bytes,
                      std::uint64_t manifest_bytes, bool apart) {
  std::string symbol = "crunch_" + site.name;
  std::string out = opening(site, digest);
  out += "#include \"kv/crunched/site.hpp\"\n\n";
  // The content is in a section of the large kind (psABI for AMD64, section 4.2.1), which linkers
  // place behind everything else: code and data stay within reach of each other whatever its size.
  // The manifest is in the file only, not in memory.
  out += "asm(R\"(\n.pushsection .rodata.crunch." + site.name + ",\"a\",@progbits\n.balign 64\n";
  out += incbin(site.name + ".index", symbol + "_index", index_bytes);
  out +=
      ".popsection\n.pushsection .lrodata.crunch." + site.name + ",\"a\",@progbits\n.balign 4096\n";
  if (apart) {
    out += ".globl " + symbol + "_content\n.hidden " + symbol + "_content\n" + symbol +
           "_content:\n.ascii \"" + std::string(placeholder_mark) + "\"\n.org " + symbol +
           "_content + " + std::to_string(placeholder_bytes) + "\n";
  } else {
    out += incbin(site.name + ".content", symbol + "_content", site.content_bytes);
  }
  out += ".popsection\n.pushsection .crunch.manifest,\"\",@progbits\n";
  out += incbin(site.name + ".manifest.json", symbol + "_manifest", manifest_bytes);
  out += ".popsection\n)\");\n\n";
  out += "extern \"C\" {\nextern const std::byte " + symbol + "_index[];\nextern const std::byte " +
         symbol + "_content[];\n}\n\n";
  return out + closing(site, "{" + symbol + "_index, " + std::to_string(index_bytes) + "}",
                       "{" + symbol + "_content, " + std::to_string(site.content_bytes) + "}");
}

void write_portable_source(const Site& site, const std::string& digest, base::Bytes index,
                           const std::string& content_path, NewFile& out) {
  if (site.content_bytes > portable_bytes_max) {
    throw Failure("the content has " + std::to_string(site.content_bytes) +
                  " bytes; --portable takes at most " + std::to_string(portable_bytes_max) +
                  ": use a compiler that knows .incbin, without --portable");
  }
  out.write(opening(site, digest));
  out.write("#include <span>\n\n#include \"kv/crunched/site.hpp\"\n\nnamespace {\n\n");
  write_array(out, "index_bytes", [index](std::uint64_t offset, base::MutableBytes piece) {
    std::size_t count = std::min<std::size_t>(piece.size(), index.size() - offset);
    std::copy_n(index.begin() + static_cast<std::ptrdiff_t>(offset), count, piece.begin());
    return count;
  });
  Descriptor content(::open(content_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!content) fail("read", content_path);
  write_array(out, "content_bytes", [&](std::uint64_t offset, base::MutableBytes piece) {
    check_stopped();
    return read_at(content.get(), offset, piece, content_path);
  });
  out.write("\n}  // namespace\n\n");
  auto bytes_of = [](const std::string& array, std::uint64_t size) {
    return "std::as_bytes(std::span(" + array + ", " + std::to_string(size) + "))";
  };
  out.write(closing(site, bytes_of("index_bytes", index.size()),
                    bytes_of("content_bytes", site.content_bytes)));
}

}  // namespace crunch::embed
