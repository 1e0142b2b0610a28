// SPDX-License-Identifier: ISC
// crunch/package/oci.hpp: images as a container image: one archive that skopeo, podman, docker and
// containerd load.
//
// Holds:   for each architecture one layer with nothing but the image, a config and a manifest; an
//          index of them all; for `docker load`, manifest.json, which names the first.
// Rule:    the same images and tag give the same bytes, on every machine and at any time.
// Source:  OCI Image Format 1.0 (image-layout.md, config.md, manifest.md, image-index.md); for
//          manifest.json, Docker Image Specification 1.2.

#pragma once

#include <string>
#include <vector>

#include "crunch/package/image.hpp"

namespace crunch::package {

// The user that runs it: "nobody" of most systems.
inline constexpr unsigned container_user = 65534;

// Throws a Failure if two images are for the same architecture. `tag`: "name:version".
[[nodiscard]] std::string oci_archive(const std::vector<Image>& images, const std::string& tag,
                                      const Ports& ports);

// A Usage unless `tag` is a reference to an image: [host[:port]/]path[:tag].
void check_tag(const std::string& tag);

}  // namespace crunch::package
