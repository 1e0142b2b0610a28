// SPDX-License-Identifier: ISC
#include "crunch/check/links.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_set>

#include "crunch/check/css.hpp"
#include "crunch/check/references.hpp"
#include "crunch/embed/pipeline.hpp"
#include "crunch/failure.hpp"
#include "http/site/visit.hpp"

namespace crunch::check {
namespace {

using std::string_view;

constexpr std::uint64_t in_flight_bytes_max = std::uint64_t{128} << 20U;

enum class Kind : std::uint8_t { page, sheet, sitemap };
struct Document {
  std::size_t file = 0;
  Kind kind = Kind::page;
};

// What is kept of a page.
struct Facts {
  Url address;
  std::optional<Url> base;
  std::vector<std::size_t> ids;  // digests, ascending
};

// "#top" is the top of any page.
bool is_top(string_view fragment) {
  return fragment.size() == 3 && (fragment[0] | 32) == 't' && (fragment[1] | 32) == 'o' &&
         (fragment[2] | 32) == 'p';
}

std::size_t digest_of(string_view id) { return std::hash<string_view>()(id); }

std::string read_start(const Site& site, std::size_t file) {
  const embed::Source& source = site.files()[file];
  embed::Reading reading(site.tree(), source);
  std::string text(std::min<std::uint64_t>(source.size_bytes, page_bytes_max), '\0');
  text.resize(reading.read(std::as_writable_bytes(std::span(text))));
  return text;
}

class FactsReader final : public PageReader {
 public:
  explicit FactsReader(Facts& facts) : facts_(facts) {}

 private:
  void refer(const Reference&) override {}
  void define(string_view fragment) override { facts_.ids.push_back(digest_of(fragment)); }
  void set_base(string_view url) override {
    Url base = resolve(facts_.address, url);
    if (base.is_http()) facts_.base = std::move(base);
  }

  Facts& facts_;
};

// The page's address in a browser: relative references begin there.
Facts facts_of(const Site& site, Client& client, const Document& document) {
  Facts facts;
  const Url address = site.address_of(document.file);
  const Journey& journey = client.follow(address);
  const bool is_shown = journey.answer.status == http::Status::ok && !journey.leaves &&
                        journey.answer.file == document.file;
  facts.address = is_shown ? journey.end : address;
  if (document.kind != Kind::page) return facts;
  FactsReader reader(facts);
  tokenize(read_start(site, document.file), reader);
  std::ranges::sort(facts.ids);
  facts.ids.erase(std::unique(facts.ids.begin(), facts.ids.end()), facts.ids.end());
  facts.ids.shrink_to_fit();
  return facts;
}

// One document's references, one after another.
class LinkReader final : public PageReader {
 public:
  LinkReader(const Site& site, Client& client, const std::vector<std::size_t>& numbers,
             const std::vector<Facts>& facts, std::size_t number, Report& report,
             const std::string& file)
      : site_(site),
        client_(client),
        numbers_(numbers),
        facts_(facts),
        own_(facts[number]),
        report_(report),
        file_(file) {}

  void refer(const Reference& reference) override {
    ++report_.link_count;
    // The same address again is the same finding.
    const std::size_t kind = static_cast<std::size_t>(reference.use);
    if (!seen_.insert(digest_of(reference.url) * 31 + kind).second) return;
    const Url url = resolve(own_.base ? *own_.base : own_.address, reference.url);
    if (url.scheme == "file") {
      return add(Code::local_link, reference, "leads to the reader's own machine",
                 "put the file into the site");
    }
    if (!url.is_http()) return;
    const bool is_part = reference.use == Use::loaded || reference.use == Use::shown;
    if (is_part && url.scheme == "http") {
      add(Code::insecure_resource, reference, "is loaded over plain HTTP",
          "write https:, since browsers block it on pages that came by HTTPS");
    }
    if (site_.is_own(url)) {
      ask(reference, url);
    } else if (!is_part && reference.use != Use::link && site_.has_hosts()) {
      add(Code::other_host, reference, "is on a host that crunch.toml does not name",
          "write it with the name of this site's host");
    }
  }

 private:
  void define(string_view) override {}
  void set_base(string_view) override {}

  void add(Code code, const Reference& reference, const std::string& what, std::string remedy) {
    report_.add({code, file_, reference.line, in_quotes(reference.url.substr(0, 300)) + " " + what,
                 std::move(remedy)});
  }

  void ask(const Reference& reference, const Url& url) {
    const Journey& journey = client_.follow(url);
    if (journey.is_loop) {
      return add(Code::broken_link, reference, "is redirected in a circle",
                 "mend the rules, or the link");
    }
    if (journey.leaves) return;
    if (http::code_of(journey.answer.status) >= 400) return add_broken(reference, url, journey);
    if (journey.hops > 0) {
      add(Code::redirected_link, reference, "costs a redirect",
          "write " + in_quotes(journey.end.target()));
    }
    if (url.has_fragment || journey.end.has_fragment) {
      check_fragment(reference, journey.end.has_fragment ? journey.end.fragment : url.fragment,
                     journey.answer.file);
    }
  }

  void add_broken(const Reference& reference, const Url& url, const Journey& journey) {
    const int code = http::code_of(journey.answer.status);
    std::string what = "is not there (" + std::to_string(code) + ")";
    if (code == 400 || code == 414) what = "is no address (" + std::to_string(code) + ")";
    if (journey.hops > 0) {
      what = "leads to " + in_quotes(journey.end.target()) + ", which " + what;
    } else if (reference.url != url.path && reference.url != url.target()) {
      what = "means " + in_quotes(url.target()) + ", which " + what;
    }
    std::string key = key_of(journey.end);
    const std::string& base = site_.settings().settings.base;
    if (!http::without_escapes(journey.end.path).starts_with(base)) {
      return add(Code::broken_link, reference, what,
                 "write " + in_quotes(base + journey.end.target().substr(1)) +
                     ", since the site's base is " + in_quotes(base));
    }
    for (const char* suffix : {"", ".html", "/index.html"}) {
      const std::size_t other = site_.find_in_any_case(key + suffix);
      if (other == no_file || site_.find(key + suffix) != no_file) continue;
      const std::string& name = site_.files()[other].key;
      return add(Code::case_link, reference, what,
                 in_quotes(name) + " is there: the case of letters counts");
    }
    add(Code::broken_link, reference, what, remedy_of(key, url.path.ends_with('/')));
  }

  [[nodiscard]] std::string remedy_of(const std::string& key, bool has_slash) const {
    const std::string page = key + ".html";
    if (site_.find(page) != no_file) {
      if (has_slash) return in_quotes(page) + " is there: write the link without '/' at its end";
      return in_quotes(page) + " is there: write the link so, or set clean-urls = \"serve\"";
    }
    if (key.ends_with(".html")) {
      const std::string folder = key.substr(0, key.size() - 5) + "/index.html";
      if (site_.find(folder) != no_file) return in_quotes(folder) + " is there: lead to that";
    }
    if (site_.stat(key).has_value()) {
      return in_quotes(key) + " is there, but a rule keeps it from being served";
    }
    if (!site_.stat(key).has_value() && site_.stat(key).error() == kv::Error::value_expected) {
      return "the folder is there, without an index.html";
    }
    return "lead it to a file that is there, or take it away";
  }

  // As in the store: without the base, with the folder of the host.
  [[nodiscard]] std::string key_of(const Url& url) const {
    std::string key = http::without_escapes(url.path);
    const std::string& base = site_.settings().settings.base;
    if (key.starts_with(base)) key.erase(0, base.size());
    while (key.starts_with('/')) key.erase(0, 1);
    while (key.ends_with('/')) key.pop_back();
    const string_view name = http::site::host_name(url.authority);
    for (const http::site::HostSettings& host : site_.settings().hosts) {
      if (host.name == name && !host.root.empty()) {
        return key.empty() ? host.root : host.root + "/" + key;
      }
    }
    return key;
  }

  void check_fragment(const Reference& reference, string_view fragment, std::size_t file) {
    fragment = fragment.substr(0, fragment.find(":~:"));
    if (fragment.empty() || fragment[0] == '/' || fragment[0] == '!' || is_top(fragment)) return;
    if (file == no_file || numbers_[file] == no_file) return;
    const std::vector<std::size_t>& ids = facts_[numbers_[file]].ids;
    const std::string id = http::without_escapes(fragment);
    if (std::ranges::binary_search(ids, digest_of(fragment)) ||
        std::ranges::binary_search(ids, digest_of(id))) {
      return;
    }
    add(Code::broken_fragment, reference,
        "names a place that " + in_quotes(site_.files()[file].key) + " does not have",
        "give an element there id=" + in_quotes(id) + ", or lead the link elsewhere");
  }

  const Site& site_;
  Client& client_;
  const std::vector<std::size_t>& numbers_;
  const std::vector<Facts>& facts_;
  const Facts& own_;
  Report& report_;
  const std::string& file_;
  std::unordered_set<std::size_t> seen_;
};

// The addresses of a sitemap (https://www.sitemaps.org).
void read_sitemap(string_view text, LinkReader& reader) {
  std::uint32_t line = 1;
  std::size_t counted = 0;
  for (std::size_t at = 0; (at = text.find("<loc>", at)) != string_view::npos;) {
    at += 5;
    const std::size_t end = text.find('<', at);
    if (end == string_view::npos) return;
    line +=
        static_cast<std::uint32_t>(std::ranges::count(text.substr(counted, at - counted), '\n'));
    counted = at;
    std::string url;
    append_resolved(url, text.substr(at, end - at));
    reader.refer({Use::canonical, url, line});
  }
}

std::vector<Document> documents_of(const Site& site) {
  std::vector<Document> documents;
  for (std::size_t i = 0; i < site.files().size(); ++i) {
    const string_view key = site.files()[i].key;
    const std::string type = site.type_of(i);
    const string_view name = key.substr(key.rfind('/') + 1);
    if (type == "text/html" || type == "application/xhtml+xml") {
      documents.push_back({i, Kind::page});
    } else if (type == "text/css") {
      documents.push_back({i, Kind::sheet});
    } else if (name.starts_with("sitemap") && name.ends_with(".xml")) {
      documents.push_back({i, Kind::sitemap});
    }
  }
  return documents;
}

class LinkCheck {
 public:
  LinkCheck(const Site& site, unsigned threads, Report& report)
      : site_(site),
        report_(report),
        threads_(threads),
        documents_(documents_of(site)),
        numbers_(site.files().size(), no_file) {
    for (std::size_t i = 0; i < documents_.size(); ++i) {
      if (documents_[i].kind == Kind::page) numbers_[documents_[i].file] = i;
    }
  }

  void run() {
    for_each<Facts>(
        [this](Client& client, std::size_t i) { return facts_of(site_, client, documents_[i]); },
        [this](std::size_t, Facts facts) { facts_.push_back(std::move(facts)); });
    for_each<Report>([this](Client& client, std::size_t i) { return read(client, i); },
                     [this](std::size_t, Report read) { take(std::move(read)); });
  }

 private:
  template <class Result, class Make, class Take>
  void for_each(Make make, Take take) {
    embed::Pipeline<Result> pipeline;
    pipeline.count = documents_.size();
    pipeline.threads = std::min<std::size_t>(threads_, pipeline.count);
    pipeline.weight_max = in_flight_bytes_max;
    pipeline.weigh = [this](std::size_t i) {
      return std::min<std::uint64_t>(site_.files()[documents_[i].file].size_bytes, page_bytes_max);
    };
    pipeline.make_worker = [this, make] {
      auto client = std::make_shared<Client>(site_);
      return [client, make](std::size_t i) { return make(*client, i); };
    };
    pipeline.take = take;
    pipeline.while_waiting = [] { check_stopped(); };
    pipeline.run();
  }

  Report read(Client& client, std::size_t i) {
    const Document& document = documents_[i];
    const embed::Source& source = site_.files()[document.file];
    Report report;
    report.page_count = document.kind == Kind::page ? 1 : 0;
    LinkReader reader(site_, client, numbers_, facts_, i, report, source.key);
    const std::string text = read_start(site_, document.file);
    switch (document.kind) {
      case Kind::page:
        tokenize(text, reader);
        break;
      case Kind::sheet:
        for_each_css_url(text, 1, [&reader](string_view url, std::uint32_t line) {
          if (!url.starts_with('#')) reader.refer({Use::shown, url, line});
        });
        break;
      case Kind::sitemap:
        read_sitemap(text, reader);
        break;
    }
    if (source.size_bytes > page_bytes_max) {
      report.add({Code::unread_page, source.key, 0,
                  "has " + std::to_string(source.size_bytes) + " bytes, of which only the first " +
                      std::to_string(page_bytes_max) + " were looked at",
                  "split it"});
    }
    return report;
  }

  void take(Report read) {
    report_.page_count += read.page_count;
    report_.link_count += read.link_count;
    report_.left_out += read.left_out;
    for (Finding& finding : read.findings) report_.add(std::move(finding));
  }

  const Site& site_;
  Report& report_;
  const unsigned threads_;
  const std::vector<Document> documents_;
  std::vector<std::size_t> numbers_;  // of each file: its document, if it is a page
  std::vector<Facts> facts_;          // of each document
};

}  // namespace

void check_links(const Site& site, unsigned threads, Report& report) {
  LinkCheck(site, threads, report).run();
}

}  // namespace crunch::check
