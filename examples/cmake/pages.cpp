// SPDX-License-Identifier: ISC
// examples/cmake/pages.cpp: prints a page that was embedded when this was built.

#include <cstdio>

#include "kv/crunched/crunched.hpp"

extern "C" const kv::crunched::Site crunched_pages;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: pages KEY, e.g. pages index.html\n", stderr);
    return 2;
  }
  kv::Crunched pages(crunched_pages);
  auto page = base::run_now(pages.get(argv[1], kv::Encoding::identity));
  if (!page) {
    std::fprintf(stderr, "pages: there is no %s\n", argv[1]);
    return 1;
  }
  kv::Bytes bytes = *page;
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() ? 0 : 1;
}
