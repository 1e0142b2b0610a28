// SPDX-License-Identifier: ISC
// http/site/draft.hpp: rules as the parsers read them, before they are a plan; and what is said of
// lines without effect.
//
// Used by: http/site's parsers and compiler, which allocate and are in no image whose store never
//          changes.
// May include: std, http/site/plan.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/site/plan.hpp"

namespace http::site {

// Maxima of a rules file: more is an error that names the number.
inline constexpr std::size_t file_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t line_bytes_max = 8192;
inline constexpr std::size_t static_rules_max = 65'536;
inline constexpr std::size_t dynamic_rules_max = 1000;
inline constexpr std::size_t blocks_max = 1000;
inline constexpr std::size_t location_bytes_max = 4096;

struct Finding {
  enum class Weight : std::uint8_t { note, warning, error };
  Weight weight = Weight::warning;
  std::string file;
  std::uint32_t line = 0;  // 0: the whole file
  std::string text;        // what happens, and what to write

  // "_redirects:7: ...".
  [[nodiscard]] std::string message() const {
    return file + (line == 0 ? "" : ":" + std::to_string(line)) + ": " + text;
  }
};
using Findings = std::vector<Finding>;

struct Part {
  PartKind kind = PartKind::literal;
  std::string text;
  std::uint8_t capture = no_capture;
};
struct Piece {
  std::string text;
  std::uint8_t capture = no_capture;
};
struct Condition {
  ConditionKind kind = ConditionKind::query_equals;
  std::string name, value;
  std::uint8_t capture = no_capture;
};

struct RuleDraft {
  std::uint32_t line = 0;
  std::string source;  // in normal form
  bool is_static = false;
  std::vector<Part> pattern;
  std::vector<std::string> captures;  // names, in the order in which they are filled in
  std::vector<Condition> conditions;
  std::vector<Piece> target, fragment;
  std::string target_text;
  std::uint16_t status = 0;
  bool forced = false, elsewhere = false, has_query = false, keeps_slashes = false;
};

struct FieldDraft {
  std::uint32_t line = 0;
  std::string name;
  std::vector<Piece> value;
  FieldAction action = FieldAction::set;
  OwnField own = OwnField::none;
};
// A user who may log in: of the password, only its digest.
struct User {
  std::string name, salt, digest;
};
struct BlockDraft {
  std::uint32_t line = 0;
  std::string source;
  std::vector<Part> pattern;
  std::vector<std::string> captures;
  bool with_host = false;
  std::vector<FieldDraft> fields;
  std::vector<User> users;  // of Basic-Auth
};

// What a parser is told.
struct Reading {
  std::string file;  // its name in findings
  Dialect dialect = Dialect::cloudflare;
  CleanUrls clean_urls = CleanUrls::automatic;
  bool unsupported_is_warning = false;
  std::string base = "/";  // of all addresses
  bool basic_auth_counts = false;
};

struct Redirects {
  std::vector<RuleDraft> rules;
  std::uint32_t spa_line = 0;  // of "/* /index.html 200" (Cloudflare's readers ignore it); 0: none
};

// Each line, also those that have no effect, is in the rules or in the findings.
[[nodiscard]] Redirects parse_redirects(std::string_view text, const Reading& how, Findings& out);
[[nodiscard]] std::vector<BlockDraft> parse_headers(std::string_view text, const Reading& how,
                                                    Findings& out);

// A line that only one of the two dialects knows; line 0: there is none.
struct Evidence {
  std::uint32_t line = 0;
  std::string file, what;
};
struct Evidences {
  Evidence cloudflare, netlify;
};
void look_for_evidence(std::string_view redirects, std::string_view headers, Evidences& out);

// ---- what both parsers use --------------------------------------------------------------------

// A line of a file with its number, without what surrounds it; false: the file is at its end.
class Lines {
 public:
  explicit Lines(std::string_view text);
  [[nodiscard]] bool next(std::string_view& line);
  [[nodiscard]] std::uint32_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::uint32_t number_ = 0;
};
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view line);
// With escapes ("\x1B") where a terminal would not show what is there.
[[nodiscard]] std::string printable(std::string_view text);
// A line as a finding shows it: in quotes, not too long.
[[nodiscard]] std::string shown(std::string_view line);

[[nodiscard]] std::string lower(std::string_view text);
// The digits at its front, as parseInt reads them; nothing if there are none.
[[nodiscard]] std::optional<int> number_at(std::string_view text);
// What a Location cannot hold, escaped.
[[nodiscard]] std::string escaped(std::string_view text);
// A target, taken apart.
struct Cut {
  std::string_view path, query, fragment;  // with '?' and '#'
};
[[nodiscard]] Cut cut(std::string_view target);
// An address of another site as browsers write it: the host in small letters, without the usual
// port, and with a path.
[[nodiscard]] std::string normal_address(std::string_view address);

// Cuts `text` into literals and captures named in `names`: ":NAME" wherever it stands; of two names
// that fit, the first.
[[nodiscard]] std::vector<Piece> pieces_of(std::string_view text,
                                           const std::vector<std::string>& names);

// Cloudflare's patterns: ":name" and one "*" anywhere. Empty result with `why`: it can match
// nothing.
[[nodiscard]] std::vector<Part> cloudflare_pattern(std::string_view source, std::size_t host_bytes,
                                                   std::vector<std::string>& names,
                                                   std::string& why);
// Netlify's: by segments. `for_headers`: placeholders name nothing.
[[nodiscard]] std::vector<Part> netlify_pattern(std::string_view source, bool for_headers,
                                                std::vector<std::string>& names, std::string& why);

}  // namespace http::site
