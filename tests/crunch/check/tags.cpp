// SPDX-License-Identifier: ISC
// Prints the tags of pages as our tokenizer reads them, for tokenizer_test.py: reads pages from
// standard input, each behind a line with its size; a line of JSON comes out for each page.
#include <cstdio>
#include <iostream>
#include <string>

#include "crunch/check/html.hpp"
#include "crunch/embed/emit.hpp"

namespace {

class Printer final : public crunch::check::TagSink {
 public:
  std::string out = "[";

  void start_tag(const crunch::check::Tag& tag) override {
    out += out.size() == 1 ? "[" : ", [";
    crunch::embed::append_json(out, tag.name);
    out += ", " + std::to_string(tag.line);
    for (const crunch::check::Attribute& attribute : tag.attributes) {
      // The first of a name counts.
      if (tag.find(attribute.name) != &attribute) continue;
      out += ", ";
      crunch::embed::append_json(out, attribute.name);
      out += ", ";
      crunch::embed::append_json(out, attribute.value);
    }
    out += "]";
  }
  void style_text(std::string_view, std::uint32_t) override {}
};

}  // namespace

int main() {
  std::string size;
  while (std::getline(std::cin, size)) {
    std::string page(std::stoul(size), '\0');
    std::cin.read(page.data(), static_cast<std::streamsize>(page.size()));
    Printer printer;
    crunch::check::tokenize(page, printer);
    std::puts((printer.out + "]").c_str());
  }
  return 0;
}
