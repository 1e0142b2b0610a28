// SPDX-License-Identifier: ISC
// crunch/inspect/sbom.cpp: the libraries in an image, as SPDX 2.3.
#include <fcntl.h>

#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <vector>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/inspect/print.hpp"
#include "crunch/source_date.hpp"
#include "crunch/version.hpp"
#include "crypto/hash.hpp"
#include "kv/digest.hpp"

namespace crunch::inspect {
namespace {

using Json = nlohmann::ordered_json;

// Clause 3.2: an identifier has letters, digits, '.' and '-' only.
std::string identifier(const std::string& name) {
  std::string out = "SPDXRef-Package-";
  for (const char c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '-';
    out += is_plain ? c : '-';
  }
  return out;
}

std::string sha256_of_file(const std::string& path) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 20U;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail("read", path);
  crypto::Sha256 digest;
  std::vector<std::byte> piece(piece_bytes);
  for (std::uint64_t at = 0;;) {
    const std::size_t count = read_at(file.get(), at, piece, path);
    if (count == 0) break;
    digest.update(std::span(piece).first(count));
    at += count;
  }
  return kv::hex_of(digest.finish());
}

// Clause 7; what is not known is NOASSERTION or left out.
Json package(const std::string& id, const std::string& name, const std::string& version) {
  Json out{{"name", name}, {"SPDXID", id}};
  if (!version.empty()) out["versionInfo"] = version;
  return out;
}

Json image_package(const std::string& id, const std::string& name, const Image& image,
                   const std::string& sha256) {
  Json out = package(id, name, image.sites.empty() ? "" : image.sites.front().digest);
  out.update({{"packageFileName", name},
              {"downloadLocation", "NOASSERTION"},
              {"filesAnalyzed", false},
              {"checksums", Json::array({{{"algorithm", "SHA256"}, {"checksumValue", sha256}}})},
              {"licenseConcluded", "NOASSERTION"},
              {"licenseDeclared", "NOASSERTION"},
              {"copyrightText", "NOASSERTION"},
              {"primaryPackagePurpose", "APPLICATION"}});
  return out;
}

Json library_package(const std::string& id, const Library& library) {
  Json out = package(id, library.name, library.version);
  out.update({{"downloadLocation", library.source},
              {"filesAnalyzed", false},
              {"licenseConcluded", library.licence},
              {"licenseDeclared", library.licence},
              {"copyrightText", "NOASSERTION"},
              {"primaryPackagePurpose", "LIBRARY"}});
  if (!library.purl.empty()) {
    out["externalRefs"] = Json::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                                        {"referenceType", "purl"},
                                        {"referenceLocator", library.purl}}});
  }
  return out;
}

}  // namespace

std::string sbom_of(const Image& image) {
  if (image.libraries.empty()) {
    throw Failure(in_quotes(image.path) +
                  " does not say which libraries it contains; build it again with this crunch");
  }
  const std::string file = std::filesystem::path(image.path).filename().string();
  const std::string name = is_utf8(file) ? file : in_quotes(file);
  const std::string sha256 = sha256_of_file(image.path);
  const std::string image_id = "SPDXRef-Image";
  Json packages = Json::array({image_package(image_id, name, image, sha256)});
  Json relationships = Json::array();
  const auto relate = [&](const char* from, const char* type, const std::string& to) {
    relationships.push_back(
        {{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}});
  };
  relate("SPDXRef-DOCUMENT", "DESCRIBES", image_id);
  std::set<std::string> ids;
  for (const Library& library : image.libraries) {
    std::string id = identifier(library.name);
    while (!ids.insert(id).second) id += "-2";  // names may differ in what no identifier has
    packages.push_back(library_package(id, library));
    relate(image_id.c_str(), "STATIC_LINK", id);
  }
  const Json document{{"spdxVersion", "SPDX-2.3"},
                      {"dataLicense", "CC0-1.0"},
                      {"SPDXID", "SPDXRef-DOCUMENT"},
                      {"name", name},
                      // Clause 6.5: a URI of its own for each document; nothing has to be there.
                      {"documentNamespace", "https://spdx.org/spdxdocs/crunch-image-" + sha256},
                      {"creationInfo",
                       {{"created", utc_text(source_date_epoch().value_or(std::time(nullptr)))},
                        {"creators", Json::array({"Tool: crunch-" CRUNCH_VERSION})}}},
                      {"packages", packages},
                      {"relationships", relationships}};
  return document.dump(2) + "\n";
}

}  // namespace crunch::inspect
