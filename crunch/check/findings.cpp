// SPDX-License-Identifier: ISC
#include "crunch/check/findings.hpp"

#include "crunch/embed/emit.hpp"
#include "crunch/failure.hpp"

namespace crunch::check {
namespace {

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Names of files and addresses of pages may hold anything.
std::string printable(std::string_view text) {
  std::string quoted = in_quotes(text);
  const std::string plain = quoted.substr(1, quoted.size() - 2);
  return plain == text ? plain : quoted;
}

void append_utf8(std::string& json, const std::string& text) {
  embed::append_json(json, is_utf8(text) ? text : in_quotes(text));
}

}  // namespace

void Report::add(Finding finding) {
  if (findings.size() >= findings_max) {
    ++left_out;
  } else {
    findings.push_back(std::move(finding));
  }
}

std::string line_of(const Finding& finding) {
  std::string text = printable(finding.file);
  if (finding.line != 0) text += ":" + std::to_string(finding.line);
  text += ": " + finding.sentence;
  return finding.remedy.empty() ? text : text + "; " + finding.remedy;
}

std::string as_text(const Report& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    text += line_of(finding) + " [" + std::string(text_of(finding.code).name) + "]\n";
  }
  if (report.left_out != 0) {
    text += "and " + std::to_string(report.left_out) + " more\n";
  }
  const std::size_t count = report.findings.size() + report.left_out;
  return text + (count == 0 ? "no findings" : counted(count, "finding")) + " in " +
         counted(report.page_count, "page") + " with " + counted(report.link_count, "link") + "\n";
}

std::string as_json(const Report& report) {
  std::string json = "{\"format\": 1, \"pages\": " + std::to_string(report.page_count) +
                     ", \"links\": " + std::to_string(report.link_count) +
                     ", \"left_out\": " + std::to_string(report.left_out) + ", \"findings\": [";
  const char* separator = "\n";
  for (const Finding& finding : report.findings) {
    json += separator;
    separator = ",\n";
    json += "{\"code\": ";
    embed::append_json(json, text_of(finding.code).name);
    json += ", \"file\": ";
    append_utf8(json, finding.file);
    json += ", \"line\": " + std::to_string(finding.line) + ", \"sentence\": ";
    append_utf8(json, finding.sentence);
    json += ", \"remedy\": ";
    append_utf8(json, finding.remedy);
    json += '}';
  }
  return json + "\n]}\n";
}

}  // namespace crunch::check
