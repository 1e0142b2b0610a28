// SPDX-License-Identifier: ISC
// tender/main.cpp: hvt-tender, a tender for images of Solo5's hvt ABI, version 2. Its
// options are those of Solo5's own.

#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tender/run.hpp"

namespace {

using tender::Options;

constexpr const char* help =
    "usage: hvt-tender [OPTION]... [--] IMAGE [--] [WORD]...\n"
    "\n"
    "Starts an image of Solo5's hvt ABI, version 2, on KVM. The words are for the image.\n"
    "\n"
    "  --mem=MIB            its memory [512]\n"
    "  --net:NAME=TAP       its network device NAME is this tap\n"
    "  --net:NAME=@FD       or one that this process has inherited open\n"
    "  --net-mac:NAME=MAC   the address of that device [random]\n"
    "  --block:NAME=FILE    its block device NAME is this file\n"
    "  --no-net-ring        no ring for network frames: each is a hypercall\n"
    "  --trace              each hypercall on standard error\n"
    "  --count              how many there were, at the end, on standard error\n"
    "  --help               this text\n"
    "\n"
    "SIGTERM or SIGINT asks the image to end, a second SIGINT ends it. The status is the image's;\n"
    "1 if it could not be started or did what it may not, 2 for wrong options.\n"
    "\n"
    "Example:\n"
    "  hvt-tender --mem=32 --net:service=tap0 site.hvt -- --ipv4=10.0.0.2/24\n";

class Usage : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "name" and "value" of "--net:name=value", without what comes before the name.
Options::Attachment attachment_of(std::string_view rest, const std::string& word) {
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == rest.size()) {
    throw Usage("'" + word + "' is not of the form --OPTION:NAME=VALUE");
  }
  return {std::string(rest.substr(0, equals)), std::string(rest.substr(equals + 1))};
}

Options::Mac mac_of(const Options::Attachment& from) {
  Options::Mac out;
  out.name = from.name;
  const char* at = from.to.data();
  const char* const end = at + from.to.size();
  for (std::size_t i = 0; i < 6; ++i) {
    const auto [stopped, error] = std::from_chars(at, end, out.bytes[i], 16);
    if (error != std::errc{} || stopped != at + 2 || (i < 5 ? *stopped != ':' : stopped != end)) {
      throw Usage("'" + from.to + "' is no MAC address, as 02:00:00:00:00:01");
    }
    at = stopped + 1;
  }
  return out;
}

std::uint64_t memory_of(std::string_view text) {
  std::uint64_t out = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || stopped != end || out < 2 || out > 4096) {
    throw Usage("--mem takes a number of MiB, from 2 to 4096");
  }
  return out;
}

// What stands before the image.
void read_option(const std::string& word, Options& options) {
  const std::string_view text(word);
  auto starts = [&](std::string_view with) { return text.starts_with(with); };
  if (starts("--mem=")) {
    options.memory_mib = memory_of(text.substr(6));
  } else if (starts("--net:")) {
    options.nets.push_back(attachment_of(text.substr(6), word));
  } else if (starts("--net-mac:")) {
    options.macs.push_back(mac_of(attachment_of(text.substr(10), word)));
  } else if (starts("--block:")) {
    options.blocks.push_back(attachment_of(text.substr(8), word));
  } else if (text == "--trace") {
    options.traces = true;
  } else if (text == "--count") {
    options.counts = true;
  } else if (text == "--no-net-ring") {
    options.offers_ring = false;
  } else {
    throw Usage("unknown option '" + word + "'");
  }
}

Options read_words(int argc, char** argv) {
  Options options;
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; ++at) {
    // Before the image it ends the options, as for Solo5's tender.
    if (std::string_view(argv[at]) == "--") {
      ++at;
      break;
    }
    read_option(argv[at], options);
  }
  if (at == argc) throw Usage("which image?");
  options.image = argv[at++];
  if (at < argc && std::string_view(argv[at]) == "--") ++at;
  for (; at < argc; ++at) {
    if (!options.command_line.empty()) options.command_line += ' ';
    options.command_line += argv[at];
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--help") {
    std::fputs(help, stdout);
    return 0;
  }
  try {
    tender::run(read_words(argc, argv));
  } catch (const Usage& error) {
    std::fprintf(stderr, "hvt-tender: %s\nTry: hvt-tender --help\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hvt-tender: %s\n", error.what());
    return 1;
  }
}
