// SPDX-License-Identifier: ISC
#include "http/mime.hpp"

#include <algorithm>
#include <array>

namespace http {

namespace {

struct Known {
  std::string_view extension;
  std::string_view type;
};

// Sorted by extension, as static_assert below says.
constexpr std::array known{
    Known{"3gp", "video/3gpp"},
    Known{"7z", "application/x-7z-compressed"},
    Known{"aac", "audio/aac"},
    Known{"apng", "image/apng"},
    Known{"atom", "application/atom+xml"},
    Known{"avif", "image/avif"},
    Known{"bib", "text/plain; charset=utf-8"},
    Known{"bmp", "image/bmp"},
    Known{"br", "application/x-brotli"},
    Known{"bz2", "application/x-bzip2"},
    Known{"c", "text/plain; charset=utf-8"},
    Known{"cc", "text/plain; charset=utf-8"},
    Known{"cfg", "text/plain; charset=utf-8"},
    Known{"conf", "text/plain; charset=utf-8"},
    Known{"cpp", "text/plain; charset=utf-8"},
    Known{"css", "text/css; charset=utf-8"},
    Known{"csv", "text/csv; charset=utf-8"},
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
    Known{"gz", "application/gzip"},
    Known{"h", "text/plain; charset=utf-8"},
    Known{"hpp", "text/plain; charset=utf-8"},
    Known{"htm", "text/html; charset=utf-8"},
    Known{"html", "text/html; charset=utf-8"},
    Known{"ico", "image/vnd.microsoft.icon"},
    Known{"ics", "text/calendar; charset=utf-8"},
    Known{"ini", "text/plain; charset=utf-8"},
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
    Known{"m4v", "video/mp4"},
    Known{"map", "application/json"},
    Known{"markdown", "text/markdown; charset=utf-8"},
    Known{"md", "text/markdown; charset=utf-8"},
    Known{"mid", "audio/midi"},
    Known{"mjs", "text/javascript; charset=utf-8"},
    Known{"mkv", "video/x-matroska"},
    Known{"mov", "video/quicktime"},
    Known{"mp3", "audio/mpeg"},
    Known{"mp4", "video/mp4"},
    Known{"mpd", "application/dash+xml"},
    Known{"mpeg", "video/mpeg"},
    Known{"odp", "application/vnd.oasis.opendocument.presentation"},
    Known{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    Known{"odt", "application/vnd.oasis.opendocument.text"},
    Known{"oga", "audio/ogg"},
    Known{"ogg", "audio/ogg"},
    Known{"ogv", "video/ogg"},
    Known{"opus", "audio/ogg"},
    Known{"otf", "font/otf"},
    Known{"patch", "text/plain; charset=utf-8"},
    Known{"pdf", "application/pdf"},
    Known{"png", "image/png"},
    Known{"ppt", "application/vnd.ms-powerpoint"},
    Known{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    Known{"ps", "application/postscript"},
    Known{"py", "text/plain; charset=utf-8"},
    Known{"rdf", "application/rdf+xml"},
    Known{"rss", "application/rss+xml"},
    Known{"rst", "text/plain; charset=utf-8"},
    Known{"rtf", "application/rtf"},
    Known{"sh", "text/plain; charset=utf-8"},
    Known{"srt", "text/plain; charset=utf-8"},
    Known{"svg", "image/svg+xml"},
    Known{"tar", "application/x-tar"},
    Known{"tex", "text/plain; charset=utf-8"},
    Known{"text", "text/plain; charset=utf-8"},
    Known{"tgz", "application/gzip"},
    Known{"tif", "image/tiff"},
    Known{"tiff", "image/tiff"},
    Known{"toml", "application/toml"},
    Known{"ts", "video/mp2t"},
    Known{"tsv", "text/tab-separated-values; charset=utf-8"},
    Known{"ttf", "font/ttf"},
    Known{"txt", "text/plain; charset=utf-8"},
    Known{"usdz", "model/vnd.usdz+zip"},
    Known{"vcf", "text/vcard; charset=utf-8"},
    Known{"vtt", "text/vtt; charset=utf-8"},
    Known{"wasm", "application/wasm"},
    Known{"wav", "audio/wav"},
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

// Compressible though neither text nor structured: formats that do not compress themselves.
constexpr std::array plain_formats{
    std::string_view{"application/json"},
    std::string_view{"application/xml"},
    std::string_view{"application/yaml"},
    std::string_view{"application/toml"},
    std::string_view{"application/wasm"},
    std::string_view{"application/rtf"},
    std::string_view{"application/postscript"},
    std::string_view{"application/x-tar"},
    std::string_view{"application/msword"},
    std::string_view{"application/vnd.ms-excel"},
    std::string_view{"application/vnd.ms-powerpoint"},
    std::string_view{"application/vnd.apple.mpegurl"},
    std::string_view{"application/vnd.ms-fontobject"},
    std::string_view{"application/octet-stream"},
    std::string_view{"font/ttf"},
    std::string_view{"font/otf"},
    std::string_view{"image/bmp"},
    std::string_view{"image/vnd.microsoft.icon"},
    std::string_view{"audio/wav"},
    std::string_view{"audio/midi"},
    std::string_view{"model/gltf-binary"},
};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::string_view media_type(std::string_view key) noexcept {
  constexpr std::string_view unknown = "application/octet-stream";
  std::string_view name = key.substr(key.rfind('/') + 1);
  // Generators name their feeds so (Hexo, Eleventy); by the extension they would be plain XML.
  if (name == "atom.xml") return "application/atom+xml";
  if (name == "rss.xml") return "application/rss+xml";
  std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return unknown;
  std::string_view extension = name.substr(dot + 1);
  if (extension.size() > extension_bytes_max) return unknown;
  std::array<char, extension_bytes_max> small{};
  std::ranges::transform(extension, small.begin(), lower);
  std::string_view wanted(small.data(), extension.size());
  const auto* at = std::ranges::lower_bound(known, wanted, {}, &Known::extension);
  return at != known.end() && at->extension == wanted ? at->type : unknown;
}

bool is_compressible(std::string_view type) noexcept {
  type = type.substr(0, type.find(';'));
  return type.starts_with("text/") || type.ends_with("+xml") || type.ends_with("+json") ||
         std::ranges::find(plain_formats, type) != plain_formats.end();
}

bool is_html(std::string_view type) noexcept {
  return type.starts_with("text/html") || type.starts_with("application/xhtml+xml");
}

}  // namespace http
