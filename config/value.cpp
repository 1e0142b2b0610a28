// SPDX-License-Identifier: ISC
#include "config/value.hpp"

namespace config {
namespace {

std::string range(std::int64_t least, std::int64_t most, const char* unit = "") {
  return " from " + std::to_string(least) + unit + " to " + std::to_string(most) + unit;
}

constexpr bool is_limited(const Shape& shape) {
  return shape.least != 0 || shape.most != std::numeric_limits<std::int64_t>::max();
}

std::string version_text(const Shape& shape) {
  return shape.version == 0 ? "an IPv4 or IPv6" : "an IPv" + std::to_string(shape.version);
}

std::string one_takes(const Shape& shape, std::string_view type) {
  if (type == "switch") return "true or false";
  if (type == "number") return "a whole number" + range(shape.least, shape.most);
  if (type == "port") return "a port" + range(shape.least, shape.most);
  if (type == "duration") {
    return std::string("a time like 250ms, 30s, 5m, 2h or 7d") +
           (is_limited(shape) ? range(shape.least, shape.most, "ms") : "");
  }
  if (type == "size") {
    return std::string("bytes, as in 512, 64KiB, 16MiB or 1GiB") +
           (is_limited(shape) ? range(shape.least, shape.most) : "");
  }
  if (type == "address") {
    return version_text(shape) + " address, as in " +
           (shape.version == 6 ? "2001:db8::1" : "192.0.2.1");
  }
  if (type == "prefix") {
    return version_text(shape) + " address and the bits of its network, as in " +
           (shape.version == 6 ? "2001:db8::2/64" : "192.0.2.2/24");
  }
  if (type == "secret") return "file:PATH or vault:KEY, where the secret is, and not the secret";
  std::string words;
  for (std::size_t i = 0; i < shape.words.size(); ++i) {
    words += (i == 0 ? "" : i + 1 == shape.words.size() ? " or " : ", ");
    words += shape.words[i];
  }
  return type == "word" ? words : "text";
}

std::string one_placeholder(const Shape& shape, std::string_view type) {
  struct Row {
    std::string_view type, placeholder;
  };
  constexpr Row rows[] = {{"number", "N"},         {"port", "PORT"},
                          {"duration", "TIME"},    {"size", "BYTES"},
                          {"address", "ADDRESS"},  {"path", "PATH"},
                          {"prefix", "ADDRESS/N"}, {"switch", "true|false"},
                          {"text", "TEXT"},        {"secret", "file:PATH|vault:KEY"}};
  for (const Row& row : rows) {
    if (row.type == type) return std::string(row.placeholder);
  }
  std::string words;
  for (const std::string_view word : shape.words) {
    words += (words.empty() ? "" : "|");
    words += word;
  }
  return words;
}

}  // namespace

std::string takes(const Shape& shape) {
  if (shape.type != "list") return one_takes(shape, shape.type);
  return "a list with commas, each " + one_takes(shape, shape.element);
}

std::string placeholder(const Shape& shape) {
  if (shape.type == "switch") return "";
  if (shape.type != "list") return "=" + one_placeholder(shape, shape.type);
  return "=" + one_placeholder(shape, shape.element) + ",...";
}

}  // namespace config
