// SPDX-License-Identifier: ISC
// Any bytes as a page, a style sheet and an address: nothing is read beyond them, lines stay within
// the page, and an address of this site begins with '/'.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crunch/check/css.hpp"
#include "crunch/check/references.hpp"
#include "http/url.hpp"

namespace {

using crunch::check::Reference;
using http::Url;

class Reader final : public crunch::check::PageReader {
 public:
  explicit Reader(std::size_t lines) : lines_(lines) {
    base_.scheme = "https";
    base_.authority = "a";
    base_.path = "/b/c";
  }

 private:
  void refer(const Reference& reference) override {
    if (reference.line < 1 || reference.line > lines_) std::abort();
    const Url url = http::resolve(base_, reference.url);
    if (url.is_http() && !url.path.starts_with('/')) std::abort();
  }
  void define(std::string_view) override {}
  void set_base(std::string_view url) override {
    const Url base = http::resolve(base_, url);
    if (base.is_http()) base_ = base;
  }

  std::size_t lines_;
  Url base_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  Reader reader(lines);
  crunch::check::tokenize(text, reader);
  crunch::check::for_each_css_url(text, 1, [lines](std::string_view, std::uint32_t line) {
    if (line < 1 || line > lines) std::abort();
  });
  return 0;
}
