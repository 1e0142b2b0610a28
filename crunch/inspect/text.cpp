// SPDX-License-Identifier: ISC
// crunch/inspect/text.cpp: an image's description for people.
#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "crunch/failure.hpp"
#include "crunch/inspect/print.hpp"
#include "crunch/progress.hpp"

namespace crunch::inspect {
namespace {

// A table whose columns are as wide as what is in them; numbers to the right.
class Table {
 public:
  using Row = std::vector<std::string>;
  void add(Row row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text(std::size_t number_columns) const {
    if (rows_.empty()) return "";
    std::vector<std::size_t> widths(rows_.front().size());
    for (const Row& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const Row& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        std::string fill(widths[i] - row[i].size(), ' ');
        if (i > 0) out += "  ";
        if (i < number_columns) {
          out += fill + row[i];
        } else {
          out += row[i] + (i + 1 < row.size() ? fill : "");
        }
      }
      out += '\n';
    }
    return out;
  }

 private:
  std::vector<Row> rows_;
};

// Paths may have anything in them; a terminal should see text.
std::string shown(const std::string& path) {
  std::string quoted = in_quotes(path);
  bool is_plain = quoted.size() == path.size() + 2;
  return is_plain ? path : quoted;
}

std::string site_text(const Site& site) {
  constexpr std::array<std::string_view, 3> encodings{"gzip", "br", "zstd"};
  Table table;
  table.add({"size", "gzip", "br", "zstd", "modified", "type", "sha256", "path"});
  std::uint64_t total = 0;
  std::uint64_t least_total = 0;
  for (const File& file : site.files) {
    std::uint64_t least = file.plain.size_bytes;
    Table::Row row{std::to_string(file.plain.size_bytes)};
    for (const std::string_view encoding : encodings) {
      const auto form = std::ranges::find(file.compressed, encoding, &Form::encoding);
      const bool is_there = form != file.compressed.end();
      if (is_there) least = std::min(least, form->size_bytes);
      row.push_back(is_there ? std::to_string(form->size_bytes) : "-");
    }
    row.insert(row.end(), {file.modified, file.type, file.plain.sha256, shown(file.path)});
    table.add(std::move(row));
    total += file.plain.size_bytes;
    least_total += least;
  }
  return "site    " + site.name + ": " + std::to_string(site.files.size()) +
         (site.files.size() == 1 ? " file, " : " files, ") + bytes_text(total) + " (" +
         bytes_text(least_total) + " compressed)\ndigest  " + site.digest + "\n\n" + table.text(4);
}

std::string keys_text(const std::vector<Key>& keys) {
  Table table;
  for (const Key& key : keys) {
    table.add({"key", (key.stage == "build" ? "" : "--") + key.name + "=" + key.value, key.stage,
               key.origin, key.doc});
  }
  return table.text(0);
}

// "solo5   hvt, ABI 2; devices: service (net)"
std::string solo5_text(const Solo5& solo5) {
  std::string out =
      "solo5   " + solo5.target + ", ABI " + std::to_string(solo5.version) + "; devices:";
  for (const Solo5::Device& device : solo5.devices) {
    out += " " + shown(device.name) + " (" + device.type + ")";
  }
  return out + "\n";
}

}  // namespace

std::string text_of(const Image& image) {
  std::string out = "image   " + shown(image.path) + ", " + bytes_text(image.size_bytes) + "\n";
  const auto add = [&out](const char* label, const std::string& value) {
    out += label + (value.empty() ? "unknown: not made by crunch build" : value) + "\n";
  };
  add("target  ", image.target);
  add("crunch  ", image.crunch);
  add("config  ", image.config);
  for (const Certificate& certificate : image.certificates) {
    out += "tls     ";
    for (const std::string& name : certificate.names) out += name + " ";
    out += "(" + certificate.key + ", until " + certificate.not_after + ")\n";
  }
  if (image.solo5) out += solo5_text(*image.solo5);
  out += keys_text(image.keys);
  for (const Site& site : image.sites) out += site_text(site);
  return out;
}

}  // namespace crunch::inspect
