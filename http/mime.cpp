// SPDX-License-Identifier: ISC
#include "http/mime.hpp"

#include <algorithm>
#include <array>

namespace http {

namespace {

using std::string_view;
using Known = MediaType;

// Sorted by extension, as static_assert below says.
constexpr std::array known{
    Known{"3gp", "video/3gpp"},
    Known{"7z", "application/x-7z-compressed"},
    Known{"aac", "audio/aac"},
    Known{"apk", "application/vnd.android.package-archive"},
    Known{"apng", "image/apng"},
    Known{"atom", "application/atom+xml"},
    Known{"avi", "video/x-msvideo"},
    Known{"avif", "image/avif"},
    Known{"bib", "text/plain; charset=utf-8"},
    Known{"bmp", "image/bmp"},
    Known{"br", "application/x-brotli"},
    Known{"bz2", "application/x-bzip2"},
    Known{"c", "text/plain; charset=utf-8"},
    Known{"cc", "text/plain; charset=utf-8"},
    Known{"cfg", "text/plain; charset=utf-8"},
    Known{"cjs", "text/javascript; charset=utf-8"},
    Known{"conf", "text/plain; charset=utf-8"},
    Known{"cpp", "text/plain; charset=utf-8"},
    Known{"crt", "application/x-x509-ca-cert"},
    Known{"css", "text/css; charset=utf-8"},
    Known{"csv", "text/csv; charset=utf-8"},
    Known{"data", "application/octet-stream"},
    Known{"diff", "text/plain; charset=utf-8"},
    Known{"doc", "application/msword"},
    Known{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    Known{"eot", "application/vnd.ms-fontobject"},
    Known{"epub", "application/epub+zip"},
    Known{"flac", "audio/flac"},
    Known{"geojson", "application/geo+json"},
    Known{"gif", "image/gif"},
    Known{"glb", "model/gltf-binary"},
    Known{"gltf", "model/gltf+json"},
    Known{"gpx", "application/gpx+xml"},
    Known{"gz", "application/gzip"},
    Known{"h", "text/plain; charset=utf-8"},
    Known{"heic", "image/heic"},
    Known{"heif", "image/heif"},
    Known{"hpp", "text/plain; charset=utf-8"},
    Known{"htm", "text/html; charset=utf-8"},
    Known{"html", "text/html; charset=utf-8"},
    Known{"ico", "image/vnd.microsoft.icon"},
    Known{"ics", "text/calendar; charset=utf-8"},
    Known{"ini", "text/plain; charset=utf-8"},
    Known{"jar", "application/java-archive"},
    Known{"jfif", "image/jpeg"},
    Known{"jpeg", "image/jpeg"},
    Known{"jpg", "image/jpeg"},
    Known{"js", "text/javascript; charset=utf-8"},
    Known{"json", "application/json"},
    Known{"jsonld", "application/ld+json"},
    Known{"jxl", "image/jxl"},
    Known{"key", "application/vnd.apple.keynote"},
    Known{"kml", "application/vnd.google-earth.kml+xml"},
    Known{"log", "text/plain; charset=utf-8"},
    Known{"m3u8", "application/vnd.apple.mpegurl"},
    Known{"m4a", "audio/mp4"},
    Known{"m4s", "video/iso.segment"},
    Known{"m4v", "video/mp4"},
    Known{"map", "application/json"},
    Known{"markdown", "text/markdown; charset=utf-8"},
    Known{"md", "text/markdown; charset=utf-8"},
    Known{"mem", "application/octet-stream"},
    Known{"mid", "audio/midi"},
    Known{"midi", "audio/midi"},
    Known{"mjs", "text/javascript; charset=utf-8"},
    Known{"mkv", "video/x-matroska"},
    Known{"mov", "video/quicktime"},
    Known{"mp3", "audio/mpeg"},
    Known{"mp4", "video/mp4"},
    Known{"mpd", "application/dash+xml"},
    Known{"mpeg", "video/mpeg"},
    Known{"mpg", "video/mpeg"},
    Known{"obj", "model/obj"},
    Known{"odp", "application/vnd.oasis.opendocument.presentation"},
    Known{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    Known{"odt", "application/vnd.oasis.opendocument.text"},
    Known{"oga", "audio/ogg"},
    Known{"ogg", "audio/ogg"},
    Known{"ogv", "video/ogg"},
    Known{"opml", "text/x-opml; charset=utf-8"},
    Known{"opus", "audio/ogg"},
    Known{"otf", "font/otf"},
    Known{"patch", "text/plain; charset=utf-8"},
    Known{"pdf", "application/pdf"},
    Known{"pem", "application/pem-certificate-chain"},
    Known{"png", "image/png"},
    Known{"ppt", "application/vnd.ms-powerpoint"},
    Known{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    Known{"ps", "application/postscript"},
    Known{"py", "text/plain; charset=utf-8"},
    Known{"rar", "application/vnd.rar"},
    Known{"rdf", "application/rdf+xml"},
    Known{"rss", "application/rss+xml"},
    Known{"rst", "text/plain; charset=utf-8"},
    Known{"rtf", "application/rtf"},
    Known{"sh", "text/plain; charset=utf-8"},
    Known{"srt", "text/plain; charset=utf-8"},
    Known{"stl", "model/stl"},
    Known{"svg", "image/svg+xml"},
    Known{"svgz", "image/svg+xml"},
    Known{"tar", "application/x-tar"},
    Known{"tex", "text/plain; charset=utf-8"},
    Known{"text", "text/plain; charset=utf-8"},
    Known{"tgz", "application/gzip"},
    Known{"tif", "image/tiff"},
    Known{"tiff", "image/tiff"},
    Known{"toml", "application/toml"},
    Known{"torrent", "application/x-bittorrent"},
    Known{"ts", "video/mp2t"},
    Known{"tsv", "text/tab-separated-values; charset=utf-8"},
    Known{"ttc", "font/collection"},
    Known{"ttf", "font/ttf"},
    Known{"ttl", "text/turtle; charset=utf-8"},
    Known{"txt", "text/plain; charset=utf-8"},
    Known{"usdz", "model/vnd.usdz+zip"},
    Known{"vcf", "text/vcard; charset=utf-8"},
    Known{"vtt", "text/vtt; charset=utf-8"},
    Known{"wasm", "application/wasm"},
    Known{"wav", "audio/wav"},
    Known{"weba", "audio/webm"},
    Known{"webm", "video/webm"},
    Known{"webmanifest", "application/manifest+json"},
    Known{"webp", "image/webp"},
    Known{"woff", "font/woff"},
    Known{"woff2", "font/woff2"},
    Known{"xht", "application/xhtml+xml"},
    Known{"xhtml", "application/xhtml+xml"},
    Known{"xls", "application/vnd.ms-excel"},
    Known{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Known{"xml", "application/xml"},
    Known{"xpi", "application/x-xpinstall"},
    Known{"xsd", "application/xml"},
    Known{"xsl", "application/xml"},
    Known{"xslt", "application/xslt+xml"},
    Known{"xz", "application/x-xz"},
    Known{"yaml", "application/yaml"},
    Known{"yml", "application/yaml"},
    Known{"zip", "application/zip"},
    Known{"zst", "application/zstd"},
};
static_assert(std::ranges::is_sorted(known, {}, &Known::extension));

constexpr std::size_t extension_bytes_max = 11;  // "webmanifest"
static_assert(std::ranges::all_of(known, [](const Known& each) {
  return each.extension.size() <= extension_bytes_max;
}));

// Files below .well-known/ whose names have no extension: the registered ones that are no
// application/octet-stream. "*" is one more segment.
constexpr std::array well_known{
    Known{"apple-app-site-association", "application/json"},
    Known{"atproto-did", "text/plain; charset=utf-8"},
    Known{"core", "application/link-format"},
    Known{"fido-configuration", "application/json"},
    Known{"gnap-as-rs", "application/json"},
    Known{"host-meta", "application/xrd+xml"},
    Known{"jmap", "application/json"},
    Known{"lnurlp/*", "application/json"},
    Known{"matrix/*", "application/json"},
    Known{"microsoft-identity-association", "application/json"},
    Known{"nodeinfo", "application/json"},
    Known{"oauth-authorization-server", "application/json"},
    Known{"oauth-protected-resource", "application/json"},
    Known{"openid-configuration", "application/json"},
    Known{"openid-credential-issuer", "application/json"},
    Known{"openid-federation", "application/entity-statement+jwt"},
    Known{"passkey-endpoints", "application/json"},
    Known{"smart-configuration", "application/json"},
    Known{"traffic-advice", "application/trafficadvice+json"},
    Known{"uma2-configuration", "application/json"},
    Known{"web-identity", "application/json"},
    Known{"webauthn", "application/json"},
    Known{"webfinger", "application/json"},
};

// Compressible though neither text nor structured: formats that do not compress themselves.
constexpr std::array plain_formats{
    string_view{"application/json"},
    string_view{"application/xml"},
    string_view{"application/yaml"},
    string_view{"application/toml"},
    string_view{"application/wasm"},
    string_view{"application/rtf"},
    string_view{"application/json5"},
    string_view{"application/x-ndjson"},
    string_view{"application/link-format"},
    string_view{"application/postscript"},
    string_view{"application/x-tar"},
    string_view{"application/msword"},
    string_view{"application/vnd.ms-excel"},
    string_view{"application/vnd.ms-powerpoint"},
    string_view{"application/vnd.apple.mpegurl"},
    string_view{"application/vnd.ms-fontobject"},
    string_view{"application/octet-stream"},
    string_view{"font/ttf"},
    string_view{"font/otf"},
    string_view{"image/bmp"},
    string_view{"image/vnd.microsoft.icon"},
    string_view{"audio/wav"},
    string_view{"audio/midi"},
    string_view{"model/gltf-binary"},
    string_view{"model/obj"},
    string_view{"model/ply"},
    string_view{"model/stl"},
    string_view{"font/collection"},
};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// By the extension of `name`; empty: it is in neither table.
string_view by_extension(string_view name, std::span<const MediaType> more) {
  std::size_t dot = name.rfind('.');
  if (dot == string_view::npos) return {};
  string_view extension = name.substr(dot + 1);
  if (extension.size() > extension_bytes_max) return {};
  std::array<char, extension_bytes_max> small{};
  std::ranges::transform(extension, small.begin(), lower);
  string_view wanted(small.data(), extension.size());
  for (std::span<const MediaType> table : {std::span<const MediaType>(known), more}) {
    auto at = std::ranges::lower_bound(table, wanted, {}, &MediaType::extension);
    if (at != table.end() && at->extension == wanted) return at->type;
  }
  return {};
}

string_view of_well_known(string_view key) {
  constexpr string_view folder = ".well-known/";
  std::size_t at = key.rfind(folder);
  string_view name = key;
  if (at != string_view::npos && (at == 0 || key[at - 1] == '/')) {
    name = key.substr(at + folder.size());
  } else if (key != "apple-app-site-association") {  // Apple asks for it at the root, too
    return {};
  }
  std::size_t slash = name.find('/');
  for (const Known& each : well_known) {
    bool fits =
        each.extension.ends_with("/*")
            ? slash != string_view::npos && slash + 1 < name.size() &&
                  each.extension.substr(0, each.extension.size() - 2) == name.substr(0, slash)
            : each.extension == name;
    if (fits) return each.type;
  }
  return {};
}

}  // namespace

string_view media_type(string_view key, std::span<const MediaType> more) noexcept {
  string_view name = key.substr(key.rfind('/') + 1);
  // Generators name their feeds so (Hexo, Eleventy); by the extension they would be plain XML.
  if (name == "atom.xml") return "application/atom+xml";
  if (name == "rss.xml") return "application/rss+xml";
  // A mirror's name of a file asked for with a query: the query's dots say nothing.
  if (std::size_t query = name.find('?'); query != string_view::npos) {
    if (string_view type = by_extension(name.substr(0, query), more); !type.empty()) return type;
  }
  if (string_view type = by_extension(name, more); !type.empty()) return type;
  for (string_view mark : {"@", "%3F", "%3f", ";"}) {
    string_view type = by_extension(name.substr(0, name.find(mark)), more);
    if (!type.empty()) return type;
  }
  if (name.find('.') == string_view::npos) {
    if (string_view type = of_well_known(key); !type.empty()) return type;
  }
  return unknown_type;
}

string_view media_type(string_view key) noexcept { return media_type(key, {}); }

bool is_compressible(string_view type) noexcept {
  type = type.substr(0, type.find(';'));
  return type.starts_with("text/") || type.ends_with("+xml") || type.ends_with("+json") ||
         std::ranges::find(plain_formats, type) != plain_formats.end();
}

bool is_html(string_view type) noexcept {
  return type.starts_with("text/html") || type.starts_with("application/xhtml+xml");
}

}  // namespace http
