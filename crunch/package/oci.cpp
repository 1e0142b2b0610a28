// SPDX-License-Identifier: ISC
#include "crunch/package/oci.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <utility>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/package/archive.hpp"
#include "crypto/hash.hpp"
#include "kv/digest.hpp"

namespace crunch::package {
namespace {

// Members are sorted by their names.
using Json = nlohmann::json;

constexpr const char* epoch = "1970-01-01T00:00:00Z";
constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* index_type = "application/vnd.oci.image.index.v1+json";
constexpr const char* config_type = "application/vnd.oci.image.config.v1+json";
constexpr const char* layer_type = "application/vnd.oci.image.layer.v1.tar";

// Contents by their digests.
class Blobs {
 public:
  // A descriptor of `bytes`.
  Json add(const char* type, std::string bytes) {
    std::string digest = kv::hex_of(crypto::sha256_of(base::bytes_of(bytes)));
    Json descriptor{{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", bytes.size()}};
    blobs_[std::move(digest)] = std::move(bytes);
    return descriptor;
  }
  static std::string path_of(const Json& descriptor) {
    return "blobs/sha256/" + descriptor["digest"].get<std::string>().substr(7);
  }
  void write(Archive& archive) const {
    for (const auto& [digest, bytes] : blobs_) archive.add("blobs/sha256/" + digest, bytes);
  }

 private:
  std::map<std::string, std::string> blobs_;
};

std::string layer_of(const Image& image) {
  Archive layer;
  const std::string bytes = read_file(image.path);
  if (image.is_secret) {
    layer.add(image.name, bytes, 0500, {container_user, container_user});
  } else {
    layer.add(image.name, bytes, 0555);
  }
  return std::move(layer).finish();
}

Json labels_of(const Image& image) {
  Json labels{{"org.opencontainers.image.title", image.name},
              {"org.opencontainers.image.version", image.site_digest.substr(0, 16)}};
  labels["crunch.version"] = image.version;
  labels["crunch.site-digest"] = image.site_digest;
  return labels;
}

Json config_of(const Image& image, const std::string& layer_digest, const Ports& ports) {
  const std::string http = std::to_string(ports.http);
  const std::string https = std::to_string(ports.https);
  Json environment{"CRUNCH_HTTP_PORT=" + http};
  Json exposed{{http + "/tcp", Json::object()}};
  if (image.has_https_port) {
    environment.push_back("CRUNCH_HTTPS_PORT=" + https);
    exposed[https + "/tcp"] = Json::object();
  }
  if (image.has_management) {
    environment.push_back("CRUNCH_MANAGEMENT_PORT=" + std::to_string(ports.management));
  }
  const Json run{{"Entrypoint", {"/" + image.name}},
                 {"Env", environment},
                 {"ExposedPorts", exposed},
                 {"Labels", labels_of(image)},
                 {"StopSignal", "SIGTERM"},
                 {"User", std::to_string(container_user) + ":" + std::to_string(container_user)},
                 {"WorkingDir", "/"}};
  return {{"architecture", image.architecture},
          {"os", "linux"},
          {"created", epoch},
          {"config", run},
          {"history", {{{"created", epoch}, {"created_by", "crunch package"}}}},
          {"rootfs", {{"type", "layers"}, {"diff_ids", {layer_digest}}}}};
}

}  // namespace

void check_tag(const std::string& tag) {
  // github.com/distribution/reference, regexp.go, without digests.
  static const std::regex reference(
      R"((?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?/)?)"
      R"([a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
      R"((?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?)");
  if (std::regex_match(tag, reference)) return;
  throw Usage(in_quotes(tag) +
              " is no name of a container image: it takes NAME, NAME:TAG or "
              "HOST/NAME:TAG, the name in small letters");
}

std::string oci_archive(const std::vector<Image>& images, const std::string& tag,
                        const Ports& ports) {
  std::vector<Image> sorted = images;
  std::ranges::sort(sorted, {}, &Image::architecture);
  const auto twice = std::ranges::adjacent_find(sorted, {}, &Image::architecture);
  if (twice != sorted.end()) {
    throw Failure(in_quotes(twice->path) + " and " + in_quotes(std::next(twice)->path) +
                  " are both for " + twice->architecture +
                  "; a container image has one for each architecture");
  }
  const bool has_version =
      tag.rfind(':') != std::string::npos && tag.find('/', tag.rfind(':')) == std::string::npos;
  const std::string name = has_version ? tag : tag + ":latest";
  Blobs blobs;
  Json manifests = Json::array();
  Json docker;
  for (const Image& image : sorted) {
    const Json layer = blobs.add(layer_type, layer_of(image));
    const Json config =
        blobs.add(config_type, config_of(image, layer["digest"].get<std::string>(), ports).dump());
    Json manifest = blobs.add(manifest_type, Json{{"schemaVersion", 2},
                                                  {"mediaType", manifest_type},
                                                  {"config", config},
                                                  {"layers", {layer}}}
                                                 .dump());
    manifest["platform"] = {{"architecture", image.architecture}, {"os", "linux"}};
    manifests.push_back(std::move(manifest));
    if (docker.is_null()) {
      docker = Json::array({{{"Config", Blobs::path_of(config)},
                             {"RepoTags", {name}},
                             {"Layers", {Blobs::path_of(layer)}}}});
    }
  }
  // One image is named by itself, several by an index of their own.
  Json top = manifests[0];
  if (manifests.size() > 1) {
    top = blobs.add(
        index_type,
        Json{{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", manifests}}.dump());
  }
  top["annotations"] = {{"org.opencontainers.image.ref.name", name.substr(name.rfind(':') + 1)},
                        {"io.containerd.image.name", name}};
  Archive archive;
  blobs.write(archive);
  archive.add("index.json",
              Json{{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", {top}}}.dump());
  archive.add("manifest.json", docker.dump());
  archive.add("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  return std::move(archive).finish();
}

}  // namespace crunch::package
