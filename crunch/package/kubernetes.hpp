// SPDX-License-Identifier: ISC
// crunch/package/kubernetes.hpp: an image as objects of Kubernetes.
//
// Makes:   a Deployment of two replicas, a Service and a PodDisruptionBudget, a file each. Probes
//          ask the management port; a drain begins after 5 s, when the endpoints have changed; the
//          root is read-only, there are no capabilities. Certificate and key are in the image, or
//          come from a Secret (kubernetes.io/tls), or there is HTTP only.
// Source:  Kubernetes API reference: apps/v1 Deployment, v1 Service, policy/v1.

#pragma once

#include <string>
#include <vector>

#include "crunch/package/image.hpp"
#include "crunch/package/systemd.hpp"

namespace crunch::package {

struct Workload {
  std::string name;             // of the objects
  std::string tag;              // of the container image
  std::string tls_secret = {};  // a Secret with certificate and key; empty: none
};

// Throws a Failure for an image without a management port.
[[nodiscard]] std::vector<TextFile> kubernetes_objects(const Image& image, const Workload& workload,
                                                       const Ports& ports);

}  // namespace crunch::package
