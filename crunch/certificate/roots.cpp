// SPDX-License-Identifier: ISC
#include "crunch/certificate/roots.hpp"

#include <ctime>
#include <filesystem>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "tls/anchors.hpp"

namespace crunch::certificate {
namespace {

constexpr std::uint64_t file_bytes_max = 4U << 20U;

std::string of_debian(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    throw Failure(path + " is not there: install ca-certificates, or name a file: --roots FILE");
  }
  return read_file(path, file_bytes_max);
}

}  // namespace

Roots load_roots(const std::string& said) {
  Roots roots;
  if (said == "letsencrypt") {
    const std::string folder = "/usr/share/ca-certificates/mozilla/";
    roots.name = "the roots of Let's Encrypt";
    roots.pem = of_debian(folder + "ISRG_Root_X1.crt") + of_debian(folder + "ISRG_Root_X2.crt");
  } else if (said == "debian") {
    roots.name = "the roots of ca-certificates";
    roots.pem = of_debian("/etc/ssl/certs/ca-certificates.crt");
  } else {
    roots.name = said;
    roots.pem = read_file(said, file_bytes_max);
  }
  auto anchors = tls::Anchors::make({roots.name, base::bytes_of(roots.pem)});
  if (!anchors) throw Failure(anchors.error());
  roots.warnings = anchors->warnings(std::time(nullptr));
  if (anchors->left_out_count() > 0) {
    roots.warnings.push_back(
        roots.name + ": " + std::to_string(anchors->left_out_count()) + " of " +
        std::to_string(anchors->left_out_count() + anchors->count()) +
        " certificates are of a kind that is not supported, and will not be trusted");
  }
  return roots;
}

}  // namespace crunch::certificate
