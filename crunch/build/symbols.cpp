// SPDX-License-Identifier: ISC
#include "crunch/build/symbols.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/elf.hpp"

namespace crunch::build {
namespace {

constexpr std::size_t name_bytes_max = 60;

class Image {
 public:
  explicit Image(const std::string& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (!file_ || ::fstat(file_.get(), &status) != 0) fail("read", path);
    bytes_ = static_cast<std::uint64_t>(status.st_size);
  }
  [[nodiscard]] std::string section(std::string_view name) const {
    const inspect::ReadAt read = [this](std::uint64_t offset, base::MutableBytes out) {
      return read_at(file_.get(), offset, out, path_);
    };
    auto found = inspect::read_section(read, bytes_, name, path_);
    if (!found) throw Failure(in_quotes(path_) + " has no section " + std::string(name));
    return *found;
  }

 private:
  const std::string& path_;
  Descriptor file_;
  std::uint64_t bytes_ = 0;
};

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : name;
}

void append(std::string& out, std::uint64_t number) {
  const auto low = static_cast<std::uint32_t>(number);
  out.append(reinterpret_cast<const char*>(&low), sizeof low);
}

std::vector<Elf64_Sym> functions_of(const std::string& table) {
  std::vector<Elf64_Sym> symbols(table.size() / sizeof(Elf64_Sym));
  std::memcpy(symbols.data(), table.data(), symbols.size() * sizeof(Elf64_Sym));
  std::erase_if(symbols, [](const Elf64_Sym& one) {
    const unsigned type = ELF64_ST_TYPE(one.st_info);
    return (type != STT_FUNC && type != STT_GNU_IFUNC) || one.st_shndx == SHN_UNDEF ||
           one.st_value > ~std::uint32_t{0};
  });
  std::ranges::stable_sort(symbols, {}, &Elf64_Sym::st_value);
  const auto same = std::ranges::unique(symbols, {}, &Elf64_Sym::st_value);
  symbols.erase(same.begin(), same.end());
  return symbols;
}

}  // namespace

std::string short_name(const std::string& demangled) {
  constexpr std::string_view anonymous = "(anonymous namespace)::";
  std::string out;
  int depth = 0;
  for (std::size_t i = 0; i < demangled.size(); ++i) {
    if (depth == 0 && demangled.compare(i, anonymous.size(), anonymous) == 0) {
      i += anonymous.size() - 1;
      continue;
    }
    const char c = demangled[i];
    const bool after_operator = out.ends_with("operator");
    const bool is_sign = after_operator || (c == '<' && out.ends_with("operator<")) ||
                         (c == '>' && (out.ends_with("operator-") || out.ends_with("operator>")));
    if (depth == 0 && c == '(' && !after_operator) break;
    if (!is_sign && c == '<') ++depth;
    if (depth == 0) out += c;
    if (!is_sign && c == '>' && depth > 0) --depth;
  }
  // A function template's name has its result's type before it.
  const std::size_t space = out.rfind(' ');
  if (space != std::string::npos && out.find("operator") == std::string::npos) {
    out.erase(0, space + 1);
  }
  if (out.size() > name_bytes_max) out.resize(name_bytes_max);
  return out.empty() ? demangled.substr(0, name_bytes_max) : out;
}

std::string symbol_table_of(const std::string& path) {
  const Image image(path);
  const std::string names = image.section(".strtab");
  const std::vector<Elf64_Sym> symbols = functions_of(image.section(".symtab"));
  if (symbols.empty()) throw Failure(in_quotes(path) + " has no symbols of functions");
  const std::uint64_t count = symbols.size() + 1;
  const std::uint64_t names_at = sizeof(std::uint32_t) * (1 + 2 * count);
  std::string table;
  std::string text;
  std::map<std::string, std::uint64_t> written;
  append(table, count);
  for (const Elf64_Sym& symbol : symbols) {
    if (symbol.st_name >= names.size()) throw Failure(in_quotes(path) + " is damaged");
    const std::string name = short_name(demangled(names.c_str() + symbol.st_name));
    const auto [at, is_new] = written.try_emplace(name, names_at + text.size());
    if (is_new) text += name + '\0';
    append(table, symbol.st_value);
    append(table, at->second);
  }
  append(table, symbols.back().st_value + std::max<std::uint64_t>(symbols.back().st_size, 1));
  append(table, 0);
  return table + text;
}

Code code_of(const std::string& path) {
  Code code;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail("read", path);
  Elf64_Ehdr header{};
  read_at(file.get(), 0, std::as_writable_bytes(std::span(&header, 1)), path);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof segment;
    read_at(file.get(), at, std::as_writable_bytes(std::span(&segment, 1)), path);
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
      code = {segment.p_vaddr, segment.p_memsz};
    }
  }
  return code;
}

}  // namespace crunch::build
