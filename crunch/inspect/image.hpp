// SPDX-License-Identifier: ISC
// crunch/inspect/image.hpp: what is in an image, by what `crunch embed` and `crunch build` wrote
// into it.
//
// States:  Image, read_image.   Used by: crunch/{inspect,package,run,describe}.
// Reads:   sections .crunch.image (the note of crunch build), .crunch.libraries (what was linked
//          in), .crunch.manifest (one JSON object for each site, one after another), .crunch.graph
//          (what the image is made of), and the two notes of Solo5.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crunch/inspect/solo5.hpp"

namespace crunch::inspect {

// One representation of a file: as it is, or compressed.
struct Form {
  std::string encoding;  // of HTTP: "gzip", "br", "zstd"; empty: none
  std::uint64_t size_bytes = 0;
  std::string sha256;  // in hexadecimal
};

struct File {
  std::string path;
  std::string type;     // the value of Content-Type
  std::string caching;  // the value of Cache-Control; empty: an old image, which does not say
  std::string stored;   // the encoding that `plain` has; empty: none
  Form plain;
  std::string modified;  // RFC 3339, UTC
  std::vector<Form> compressed;
};

struct Site {
  std::string name;
  std::string crunch;  // the version that embedded it
  std::string digest;  // SHA-256 over paths, times and contents, in hexadecimal
  std::vector<File> files;
};

struct Certificate {
  std::vector<std::string> names;
  std::string not_before;
  std::string not_after;
  std::string key;  // its type: "ECDSA P-256"
};

// A boot key or build key.
struct Key {
  std::string name;
  std::string doc;
  std::string stage;  // "boot", "build" or "both"
  std::string value;
  std::string origin;  // of the value: "default", "--set", a file's name
};

// What crunch build was told to set.
struct Setting {
  std::string name;
  std::string value;
  std::string origin;
};

// A library of which the image has code.
struct Library {
  std::string name;
  std::string version;  // empty: not known
  std::string licence;  // an expression of SPDX, or NOASSERTION
  std::string source;   // where its source is published, or NOASSERTION
  std::string purl;     // the package URL of Debian's source package; empty: not from one
};

struct Image {
  std::string path;
  std::uint64_t size_bytes = 0;
  // Empty: crunch build did not make it, or it is older than what is asked for.
  std::string target;
  std::string crunch;  // the version
  std::string config;
  std::vector<Certificate> certificates;
  std::vector<Setting> settings;
  std::vector<Library> libraries;
  std::optional<Solo5> solo5;
  std::string graph;  // JSON of config/describe.hpp, with the keys' values (graph.hpp)
  std::vector<Key> keys;
  std::vector<Site> sites;

  // The key of this name; null: the image has none.
  [[nodiscard]] const Key* key(std::string_view name) const noexcept;
};

// Throws a Failure with a sentence if the file is no image, or is damaged.
[[nodiscard]] Image read_image(const std::string& path);

}  // namespace crunch::inspect
