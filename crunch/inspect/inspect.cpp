// SPDX-License-Identifier: ISC
#include "crunch/inspect/inspect.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <vector>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/elf.hpp"
#include "crunch/inspect/solo5.hpp"
#include "crunch/progress.hpp"

namespace crunch::inspect {
namespace {

// Members stay in the order in which they were written.
using Json = nlohmann::ordered_json;

Json parsed(const std::string& text, const std::string& path) {
  try {
    return Json::parse(text);
  } catch (const Json::exception&) {
    throw Failure(in_quotes(path) + " is damaged: what crunch wrote into it does not parse");
  }
}

// The objects of a section that stand one after another.
Json parsed_all(const std::string& text, const std::string& path) {
  Json all = Json::array();
  std::istringstream in(text);
  try {
    while (in >> std::ws && in.peek() != std::char_traits<char>::eof()) {
      Json one;
      in >> one;
      all.push_back(std::move(one));
    }
  } catch (const Json::exception&) {
    throw Failure(in_quotes(path) + " is damaged: its manifest does not parse");
  }
  return all;
}

// A literal array in C++ has a zero behind it.
std::string without_zeros(std::string text) {
  text.erase(std::ranges::find(text, '\0'), text.end());
  return text;
}

class File {
 public:
  explicit File(const std::string& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (!file_ || ::fstat(file_.get(), &status) != 0) fail("read the image", path);
    if (!S_ISREG(status.st_mode)) {
      throw Failure(in_quotes(path) + " is not a file; give an image that crunch build wrote");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::optional<std::string> section(std::string_view name) const {
    const ReadAt read = [this](std::uint64_t offset, base::MutableBytes out) {
      return read_at(file_.get(), offset, out, path_);
    };
    return read_section(read, size_, name, path_);
  }

 private:
  const std::string& path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

// What is in a graph but not as it should be is left for its reader to refuse.
Json valued(Json graph, const Json& settings) {
  if (!graph.is_object() || !graph.contains("keys")) return graph;
  for (Json& key : graph["keys"]) {
    if (!key.is_object() || !key.contains("default")) continue;
    key["value"] = key["default"];
    key["origin"] = "default";
    for (const Json& setting : settings) {
      if (setting.at("name") != key.value("name", "")) continue;
      key["value"] = setting.at("value");
      key["origin"] = setting.at("origin");
    }
  }
  return graph;
}

// What a tender of Solo5 is asked for; null: the image is for none.
Json solo5_of(const File& file, const std::string& path) {
  const auto abi = file.section(abi_section);
  const auto devices = file.section(devices_section);
  if (!abi || !devices) return nullptr;
  const Solo5 found = read_solo5(*abi, *devices, path);
  Json out{{"target", found.target}, {"abi", found.version}, {"devices", Json::array()}};
  for (const Solo5::Device& device : found.devices) {
    const std::string name = is_utf8(device.name) ? device.name : in_quotes(device.name);
    out["devices"].push_back({{"name", name}, {"type", device.type}});
  }
  return out;
}

Json read_image(const std::string& path) {
  const File file(path);
  auto manifest = file.section(".crunch.manifest");
  if (!manifest) {
    throw Failure(in_quotes(path) +
                  " has no manifest; was it made by crunch, and without --portable?");
  }
  auto note = file.section(".crunch.image");
  auto graph = file.section(".crunch.graph");
  Json image{{"path", path}, {"size", file.size()}};
  if (!is_utf8(path)) image["path"] = in_quotes(path);
  if (note) image.update(parsed(*note, path));
  if (Json solo5 = solo5_of(file, path); !solo5.is_null()) image["solo5"] = std::move(solo5);
  Json made_of;
  if (graph) {
    made_of = valued(parsed(without_zeros(*graph), path), image.value("settings", Json::array()));
  }
  return {{"image", image}, {"sites", parsed_all(*manifest, path)}, {"graph", made_of}};
}

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

std::string site_text(const Json& site) {
  constexpr std::array encodings{"gzip", "br", "zstd"};
  Table table;
  table.add({"size", "gzip", "br", "zstd", "modified", "type", "sha256", "path"});
  std::uint64_t total = 0;
  std::uint64_t least_total = 0;
  for (const Json& file : site.at("files")) {
    auto size = file.at("size").get<std::uint64_t>();
    std::uint64_t least = size;
    Table::Row row{std::to_string(size)};
    for (const char* encoding : encodings) {
      const Json& forms = file.at("encodings");
      auto form = forms.find(encoding);
      if (form != forms.end()) least = std::min(least, form->at("size").get<std::uint64_t>());
      row.push_back(form == forms.end() ? "-"
                                        : std::to_string(form->at("size").get<std::uint64_t>()));
    }
    for (const char* member : {"modified", "type", "sha256"}) {
      row.push_back(file.at(member).get<std::string>());
    }
    row.push_back(shown(file.at("path").get<std::string>()));
    table.add(std::move(row));
    total += size;
    least_total += least;
  }
  return "site    " + site.at("name").get<std::string>() + ": " +
         std::to_string(site.at("files").size()) +
         (site.at("files").size() == 1 ? " file, " : " files, ") + bytes_text(total) + " (" +
         bytes_text(least_total) + " compressed)\ndigest  " +
         site.at("site_digest").get<std::string>() + "\n\n" + table.text(4);
}

std::string keys_text(const Json& graph) {
  Table table;
  if (!graph.is_object()) return "";
  for (const Json& key : graph.at("keys")) {
    const std::string stage = key.value("stage", "boot");
    const auto text = [&key](const char* member) { return key.at(member).get<std::string>(); };
    table.add({"key", (stage == "build" ? "" : "--") + text("name") + "=" + text("value"), stage,
               text("origin"), text("doc")});
  }
  return table.text(0);
}

// "solo5   hvt, ABI 2; devices: service (net)"
std::string solo5_text(const Json& solo5) {
  std::string out = "solo5   " + solo5.at("target").get<std::string>() + ", ABI " +
                    std::to_string(solo5.at("abi").get<std::uint32_t>()) + "; devices:";
  for (const Json& device : solo5.at("devices")) {
    out += " " + shown(device.at("name").get<std::string>()) + " (" +
           device.at("type").get<std::string>() + ")";
  }
  return out + "\n";
}

}  // namespace

std::string json_of(const std::string& path) { return read_image(path).dump(2) + "\n"; }

std::string text_of(const std::string& path) {
  Json all = read_image(path);
  const Json& image = all.at("image");
  try {
    std::string out =
        "image   " + shown(path) + ", " + bytes_text(image.at("size").get<std::uint64_t>()) + "\n";
    for (const char* member : {"target", "crunch", "config"}) {
      std::string label = std::string(member) + ":";
      label.back() = ' ';
      label.resize(8, ' ');
      out += label + image.value(member, "unknown: not made by crunch build") + "\n";
    }
    for (const Json& certificate : image.value("certificates", Json::array())) {
      out += "tls     ";
      for (const Json& name : certificate.at("names")) out += name.get<std::string>() + " ";
      out += "(" + certificate.at("key").get<std::string>() + ", until " +
             certificate.at("not_after").get<std::string>() + ")\n";
    }
    if (image.contains("solo5")) out += solo5_text(image.at("solo5"));
    out += keys_text(all.at("graph"));
    for (const Json& site : all.at("sites")) out += site_text(site);
    return out;
  } catch (const Json::exception&) {
    throw Failure(in_quotes(path) + " is damaged: its manifest lacks what it should say");
  }
}

std::string graph_of(const std::string& path) {
  Json graph = read_image(path).at("graph");
  if (graph.is_null()) throw Failure(in_quotes(path) + " does not say what it is made of");
  return graph.dump();
}

std::string with_values(const std::string& graph, const std::string& settings) {
  return valued(Json::parse(graph), Json::parse(settings)).dump();
}

std::string graph_in(const std::string& object) {
  auto graph = File(object).section(".crunch.graph");
  if (!graph) throw Failure(in_quotes(object) + " does not say what it is made of");
  return without_zeros(*graph);
}

}  // namespace crunch::inspect
