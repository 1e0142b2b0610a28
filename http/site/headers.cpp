// SPDX-License-Identifier: ISC
// The parser of _headers (http/site/draft.hpp), as Cloudflare and as Netlify read it; and what in
// either file only one of them knows.
#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "http/site/auth.hpp"
#include "http/site/draft.hpp"
#include "http/site/path.hpp"

namespace http::site {
namespace {

using std::string_view;
using Weight = Finding::Weight;

bool is_token(string_view text) {
  constexpr string_view also = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [also](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != string_view::npos;
  });
}

bool is_value(string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7F : c == '\t';
  });
}

OwnField own_of(const std::string& name) {
  constexpr std::array known{std::pair{"cache-control", OwnField::cache_control},
                             std::pair{"content-type", OwnField::content_type},
                             std::pair{"x-content-type-options", OwnField::content_type_options},
                             std::pair{"etag", OwnField::etag},
                             std::pair{"last-modified", OwnField::last_modified},
                             std::pair{"strict-transport-security", OwnField::hsts},
                             std::pair{"vary", OwnField::vary}};
  for (const auto& [own, field] : known) {
    if (name == own) return field;
  }
  return OwnField::none;
}

// What the server says by what it sends, and nobody else.
bool is_ours(const std::string& name) {
  constexpr std::array names{"connection",     "keep-alive",    "te",
                             "trailer",        "upgrade",       "transfer-encoding",
                             "content-length", "content-range", "content-encoding",
                             "accept-ranges",  "date",          "age",
                             "allow",          "location",      "proxy-connection"};
  return std::ranges::find(names, name) != names.end();
}

// Netlify's values: ", " between the members of a list.
std::string with_spaced_commas(string_view value) {
  std::string out;
  for (const char c : value) {
    if ((c == ' ' || c == '\t') && out.ends_with(", ")) continue;
    if (c == ',') {
      while (out.ends_with(' ') || out.ends_with('\t')) out.pop_back();
      out += ", ";
    } else {
      out += c;
    }
  }
  return std::string(trimmed(out));
}

class Parser {
 public:
  Parser(const Reading& how, Findings& findings) : how_(how), findings_(findings) {}

  std::vector<BlockDraft> run(string_view text) {
    if (text.size() > file_bytes_max) {
      say(Weight::error, 0, "has more than 1,048,576 bytes; make it shorter");
      return {};
    }
    Lines lines(text);
    for (string_view line; lines.next(line);) {
      number_ = lines.number();
      if (line.empty() || line[0] == '#') continue;
      if (line.size() > line_bytes_max) {
        say(Weight::error, number_, "is longer than 8,192 bytes; make it shorter");
      } else if (line[0] == '/' || is_address(line)) {
        begin_block(line);
      } else if (line[0] == '*') {
        end_block();
        skipped_ = true;
        say(Weight::warning, number_,
            shown(line) + " is no path; write \"/" + std::string(line) +
                "\"; its fields are left out");
      } else {
        read_field(line);
      }
      if (blocks_.size() > blocks_max) {
        say(Weight::error, number_, "more than 1,000 blocks; write fewer");
        return {};
      }
    }
    end_block();
    return std::move(blocks_);
  }

 private:
  static bool is_address(string_view line) {
    const std::size_t colon = line.find("://");
    return colon != string_view::npos && colon > 0 && line.find_first_of(" \t:") == colon;
  }
  void say(Weight weight, std::uint32_t line, std::string text) {
    findings_.push_back({weight, how_.file, line, std::move(text)});
  }

  void begin_block(string_view line) {
    end_block();
    skipped_ = true;
    BlockDraft block;
    block.line = number_;
    block.with_host = line[0] != '/';
    std::string why;
    if (block.with_host) {
      if (how_.dialect == Dialect::netlify || !lower(line.substr(0, 8)).starts_with("https://")) {
        say(Weight::warning, number_,
            shown(line) + ": a block begins with a path" +
                (how_.dialect == Dialect::netlify ? "" : " or with \"https://\"") +
                "; its fields are left out; write the path only");
        return;
      }
      line.remove_prefix(8);
      const std::size_t slash = std::min(line.find('/'), line.size());
      const std::string host = lower(line.substr(0, slash));
      if (host.find_first_of("0123456789") != std::string::npos && is_port(host)) {
        say(Weight::warning, number_, shown(line) + ": a host here has no port; leave it away");
        return;
      }
      // Names of placeholders keep their case.
      std::string kept(line.substr(0, slash));
      if (kept.find(':') == std::string::npos) kept = host;
      block.source = kept + normal_path(path_of(line.substr(slash)));
      block.pattern = cloudflare_pattern(block.source, slash, block.captures, why);
    } else if (how_.dialect == Dialect::netlify) {
      block.source = normal_path(line);
      block.pattern = netlify_pattern(block.source, true, block.captures, why);
    } else {
      block.source = normal_path(path_of(line));
      block.pattern = cloudflare_pattern(block.source, 0, block.captures, why);
    }
    if (!why.empty()) {
      say(Weight::warning, number_, shown(line) + ": " + why + "; its fields are left out");
      return;
    }
    skipped_ = false;
    block_ = std::move(block);
    is_open_ = true;
  }

  // Cloudflare compares no query and no fragment.
  string_view path_of(string_view line) {
    const string_view path = line.substr(0, line.find_first_of("?#"));
    if (path.size() < line.size()) {
      say(Weight::warning, number_,
          shown(line) + ": queries and fragments are not compared; the block is for " +
              shown(path));
    }
    return path;
  }

  static bool is_port(const std::string& host) {
    const std::size_t colon = host.rfind(':');
    return colon != std::string::npos && colon + 1 < host.size() &&
           std::all_of(host.begin() + static_cast<std::ptrdiff_t>(colon) + 1, host.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
  }

  void end_block() {
    if (!is_open_) return;
    is_open_ = false;
    if (block_.fields.empty() && block_.users.empty()) {
      say(Weight::warning, block_.line,
          shown(block_.source) +
              ": a block without fields says nothing; delete it, or write "
              "\"  Name: value\" below it");
      return;
    }
    const auto same = std::ranges::find(blocks_, block_.source, &BlockDraft::source);
    if (how_.dialect == Dialect::cloudflare && same != blocks_.end()) {
      say(Weight::warning, block_.line,
          shown(block_.source) + " again: as on Cloudflare this block replaces the one in line " +
              std::to_string(same->line) + "; put both into one");
      *same = std::move(block_);
      return;
    }
    blocks_.push_back(std::move(block_));
  }

  void read_field(string_view line) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("! ") && colon == string_view::npos) return detach(line.substr(2));
    if (colon == string_view::npos) {
      if (is_open_ || !skipped_) {
        say(Weight::warning, number_,
            shown(line) + " is no \"Name: value\"; a value stands on one line; it is left out");
      }
      return;
    }
    const string_view name = trimmed(line.substr(0, colon)),
                      value = trimmed(line.substr(colon + 1));
    if (!is_open_) {
      if (!skipped_) {
        say(Weight::warning, number_, shown(line) + ": there is no path above it; write one");
      }
      return;
    }
    if (!is_token(name)) {
      say(Weight::warning, number_,
          shown(name) +
              " is no name of a field; it is left out; names have letters, digits "
              "and \"-\"");
      return;
    }
    if (value.empty()) {
      say(Weight::warning, number_,
          shown(line) + " has no value; a value stands on one line; it is left out");
      return;
    }
    add(std::string(name), value);
  }

  void add(std::string name, string_view value) {
    const std::string small = lower(name);
    if (!is_value(value)) {
      say(Weight::warning, number_,
          name + ": the value has a control character in it; it is left out");
      return;
    }
    if (small == "basic-auth" && how_.basic_auth_counts) return add_users(value);
    if (small == "basic-auth") {
      say(how_.unsupported_is_warning ? Weight::warning : Weight::error, number_,
          "Basic-Auth: write [auth] in crunch.toml, with from-headers = true for these lines, or "
          "say unsupported = \"warn\" to leave the line out, which opens these pages to everybody");
      return;
    }
    const OwnField own = own_of(small);
    if (is_ours(small) || own == OwnField::etag || own == OwnField::last_modified) {
      say(Weight::warning, number_,
          name + " is the server's own to say; it is left out; delete it");
      return;
    }
    FieldDraft field;
    field.line = number_;
    field.name = std::move(name);
    field.own = own;
    field.value = how_.dialect == Dialect::netlify ? pieces_of(with_spaced_commas(value), {})
                                                   : pieces_of(value, block_.captures);
    block_.fields.push_back(std::move(field));
  }

  // "name:password" for each user. The salt only has to differ from others'.
  void add_users(string_view value) {
    for (const string_view word : words_of(value)) {
      const std::size_t colon = word.find(':');
      if (colon == 0 || colon == string_view::npos || colon + 1 == word.size() ||
          word.size() > credential_bytes_max) {
        say(Weight::error, number_,
            "Basic-Auth takes \"name:password\" for each user, of at most 256 bytes");
        return;
      }
      User user;
      user.name = word.substr(0, colon);
      user.salt = block_.source + '\n' + user.name + '\n';
      const PasswordDigest digest = digest_of_password(user.salt, word.substr(colon + 1));
      user.digest = base::text_of(digest);
      block_.users.push_back(std::move(user));
    }
  }

  void detach(string_view rest) {
    const std::string name(trimmed(rest));
    if (how_.dialect == Dialect::netlify) {
      say(Weight::warning, number_,
          "\"! " + name + "\" is Cloudflare's; Netlify ignores such a line");
      return;
    }
    if (!is_open_ || !is_token(name)) {
      if (is_open_ || !skipped_) {
        say(Weight::warning, number_,
            "\"! " + name +
                "\" takes no field away; write \"! Name\" "
                "below a path");
      }
      return;
    }
    FieldDraft field;
    field.line = number_;
    field.name = name;
    field.action = FieldAction::detach;
    field.own = own_of(lower(name));
    if (is_ours(lower(name)) || field.own == OwnField::vary) {
      say(Weight::warning, number_,
          name + " is the server's own to say; it stays; delete the line");
      return;
    }
    block_.fields.push_back(std::move(field));
  }

  const Reading& how_;
  Findings& findings_;
  std::vector<BlockDraft> blocks_;
  BlockDraft block_;
  bool is_open_ = false;
  bool skipped_ = false;  // the block above is left out, and was said to be
  std::uint32_t number_ = 0;
};

void note(Evidence& evidence, const char* file, std::uint32_t line, std::string what) {
  if (evidence.line == 0) evidence = {line, file, std::move(what)};
}

// A placeholder with text beside it in its segment, of which "/p*" is no sign: both know it.
bool has_mixed_segment(string_view source) {
  while (!source.empty()) {
    source.remove_prefix(1);
    const string_view segment = source.substr(0, source.find('/'));
    source.remove_prefix(segment.size());
    const std::size_t star = segment.find('*');
    if (segment.size() > 1 && star != string_view::npos &&
        !(star + 1 == segment.size() && source.empty())) {
      return true;
    }
    const std::size_t colon = segment.find(':');
    if (colon == string_view::npos || colon + 1 == segment.size()) continue;
    const std::size_t end = segment.find_first_not_of(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", colon + 1);
    if (colon > 0 || (end != string_view::npos && segment.substr(end) != ":")) return true;
  }
  return false;
}

}  // namespace

std::vector<BlockDraft> parse_headers(string_view text, const Reading& how, Findings& out) {
  return Parser(how, out).run(text);
}

void look_for_evidence(string_view redirects, string_view headers, Evidences& out) {
  Lines lines(redirects.substr(0, file_bytes_max));
  for (string_view line; lines.next(line);) {
    std::vector<string_view> words = words_of(line.substr(0, line_bytes_max));
    words.erase(std::ranges::find_if(words, [](string_view w) { return w[0] == '#'; }),
                words.end());
    if (words.size() < 2) continue;
    auto is_target = [](string_view word) {
      return word[0] == '/' || word.starts_with("http://") || word.starts_with("https://");
    };
    auto netlify = [&](std::string what) {
      note(out.netlify, "_redirects", lines.number(), std::move(what));
    };
    const bool has_host = words[0].starts_with("http://") || words[0].starts_with("https://");
    if (!is_target(words[0])) continue;
    if (has_host && is_target(words[1])) netlify("a host in a source");
    const auto target = std::find_if(words.begin() + 1, words.end(), is_target);
    if (target == words.end()) continue;
    if (target - words.begin() > 1 && words[1].find('=') != string_view::npos &&
        words[1].find('=') > 0) {
      netlify("the query \"" + std::string(words[1]) + "\"");
    }
    for (auto word = target + 1; word != words.end(); ++word) {
      const bool is_number = (*word)[0] >= '0' && (*word)[0] <= '9';
      const string_view digits = word->substr(0, word->find_first_not_of("0123456789"));
      constexpr std::array known{"200", "301", "302", "303", "307", "308"};
      const bool is_known = std::ranges::find(known, digits) != known.end();
      if (is_number && word->ends_with('!')) netlify("\"!\"");
      if (is_number && digits.size() == 3 && digits == *word && !is_known) {
        netlify("the status " + std::string(digits));
      }
      const std::string name = lower(word->substr(0, word->find('=')));
      if (name == "country" || name == "language" || name == "role" || name == "cookie") {
        netlify("the condition \"" + std::string(*word) + "\"");
      }
    }
    if (!has_host && has_mixed_segment(words[0])) {
      note(out.cloudflare, "_redirects", lines.number(),
           "a placeholder beside text in \"" + std::string(words[0]) + "\"");
    }
  }
  Lines fields(headers.substr(0, file_bytes_max));
  for (string_view line; fields.next(line);) {
    if (line.starts_with("! ")) {
      note(out.cloudflare, "_headers", fields.number(), "\"! Name\"");
    } else if (line.starts_with("https://")) {
      note(out.cloudflare, "_headers", fields.number(), "a host");
    } else if (lower(line.substr(0, 11)).starts_with("basic-auth:")) {
      note(out.netlify, "_headers", fields.number(), "Basic-Auth");
    }
  }
}

}  // namespace http::site
