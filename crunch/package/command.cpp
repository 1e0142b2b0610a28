// SPDX-License-Identifier: ISC
#include "crunch/package/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/package/image.hpp"
#include "crunch/package/kubernetes.hpp"
#include "crunch/package/libvirt.hpp"
#include "crunch/package/machine.hpp"
#include "crunch/package/microvm.hpp"
#include "crunch/package/oci.hpp"
#include "crunch/package/systemd.hpp"
#include "crunch/run/runner.hpp"

namespace crunch {
namespace {

struct PackageWords {
  std::vector<std::string> images;
  std::string oci;
  std::string tag;
  std::string systemd;
  std::string kubernetes;
  std::string tls_secret;
  std::string name;
  std::string user;
  std::string log;
  std::uint16_t management_port = 0;
  std::string libvirt;
  std::string firecracker;
  std::string cloud_hypervisor;
  package::MachineWords machine;

  [[nodiscard]] bool is_for_processes() const {
    return !oci.empty() || !systemd.empty() || !kubernetes.empty();
  }
  [[nodiscard]] bool is_for_machines() const {
    return !libvirt.empty() || !firecracker.empty() || !cloud_hypervisor.empty();
  }
};

void write_all(const std::string& folder, const std::vector<package::TextFile>& texts) {
  NewDirectory directory(folder);
  std::vector<std::unique_ptr<NewFile>> files;
  std::vector<NewFile*> all;
  for (const package::TextFile& text : texts) {
    files.push_back(std::make_unique<NewFile>(folder + "/" + text.name, 0644));
    files.back()->write(text.text);
    all.push_back(files.back().get());
  }
  static_cast<void>(replace_changed(all));
  directory.keep();
}

// A package takes the place of one of its kind, or of nothing: never of an image or a disk that was
// named by mistake. `text` is what will be there.
void check_replaceable(const std::string& path, std::string_view text) {
  constexpr std::size_t same_bytes = 8;
  std::string begin(std::min(same_bytes, text.size()), '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof()) return;
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (file && text.starts_with(begin)) return;
  throw Failure(in_quotes(path) +
                " exists and is no package of this kind; remove it, or give another name");
}

// "my_site.unix" -> "my-site": what units and objects may be called.
std::string usual_name(const std::string& image) {
  std::string name = std::filesystem::path(image).stem().string();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_' || c == '.' || c == ' ') c = '-';
  }
  return name;
}

template <class Image>
const Image& only(const std::vector<Image>& images, std::string_view option) {
  if (images.size() == 1) return images.front();
  throw Usage(std::string(option) + " takes one image, and " + std::to_string(images.size()) +
              " are named");
}

std::string name_of(const PackageWords& words) {
  std::string name = words.name.empty() ? usual_name(words.images.front()) : words.name;
  package::check_name("the name of a package", name);
  return name;
}

// All of them or none.
int package_machine(const PackageWords& words) {
  if (words.is_for_processes()) {
    throw Usage("an image is for machines or for processes; package it for one of them");
  }
  const std::string& path = only(words.images, "a machine");
  package::MachineWords with = words.machine;
  if (with.memory_mib == 0) with.memory_mib = run::memory_for(path);
  const package::Machine machine = package::machine_of(path, name_of(words), with);
  std::vector<std::unique_ptr<NewFile>> files;
  std::vector<NewFile*> all;
  const auto write = [&](const std::string& to, const std::string& text, unsigned mode) {
    check_replaceable(to, text);
    files.push_back(std::make_unique<NewFile>(to, mode));
    files.back()->write(text);
    all.push_back(files.back().get());
  };
  if (!words.libvirt.empty()) write(words.libvirt, package::libvirt_domain(machine), 0644);
  if (!words.firecracker.empty()) {
    write(words.firecracker, package::firecracker_config(machine), 0644);
  }
  if (!words.cloud_hypervisor.empty()) {
    write(words.cloud_hypervisor, package::cloud_hypervisor_script(machine), 0755);
  }
  static_cast<void>(replace_changed(all));
  return 0;
}

int package_images(const PackageWords& words) {
  if (words.is_for_machines()) return package_machine(words);
  if (!words.is_for_processes()) {
    throw Usage(
        "nothing to make: say --oci FILE, --systemd DIR, --kubernetes DIR, --libvirt FILE, "
        "--firecracker FILE or --cloud-hypervisor FILE");
  }
  std::vector<package::Image> images;
  for (const std::string& path : words.images) images.push_back(package::read_image(path));
  const std::string name = name_of(words);
  const std::string tag = words.tag.empty() ? name + ":latest" : words.tag;
  package::check_tag(tag);
  package::check_word("--user", words.user);
  package::check_word("--tls-secret", words.tls_secret);
  package::Ports ports;
  if (words.management_port != 0) ports.management = words.management_port;
  if (!words.oci.empty()) {
    const std::string text = package::oci_archive(images, tag, ports);
    check_replaceable(words.oci, text);
    NewFile archive(words.oci, 0644);
    archive.write(text);
    static_cast<void>(replace_changed({&archive}));
  }
  if (!words.systemd.empty() || !words.kubernetes.empty()) {
    for (const package::Image& image : images) package::check_startable(image);
  }
  if (!words.systemd.empty()) {
    package::Service service{.name = name, .user = words.user, .log = words.log, .management = {}};
    if (words.management_port != 0) service.management = words.management_port;
    write_all(words.systemd, package::systemd_units(only(images, "--systemd"), service));
  }
  if (!words.kubernetes.empty()) {
    const package::Workload workload{name, tag, words.tls_secret};
    write_all(words.kubernetes, package::kubernetes_objects(images.front(), workload, ports));
  }
  return 0;
}

void add_machine_options(CLI::App& command, PackageWords& words) {
  command.add_option("--libvirt", words.libvirt,
                     "Write a domain of libvirt into this file (crunch build -t virtio)");
  command.add_option("--firecracker", words.firecracker,
                     "Write a configuration for Firecracker into this file (the same)");
  command.add_option("--cloud-hypervisor", words.cloud_hypervisor,
                     "Write a script that starts Cloud Hypervisor into this file (the same)");
  command.add_option("--boot", words.machine.boot_line,
                     "Boot keys of the machine, as --boot='--log=json'");
  command.add_option("--network", words.machine.network,
                     "A bridge or tap of the host [libvirt: loopback ports 8080, 8443]");
  command.add_option("--disk", words.machine.disks, "A disk of the machine; again for each");
  command.add_option("--memory", words.machine.memory_mib,
                     "The machine's memory in MiB [the image's size and 32]");
  command.add_flag("--emulated", words.machine.is_emulated,
                   "libvirt: a machine for hosts without /dev/kvm");
}

}  // namespace

void add_package_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<PackageWords>();
  CLI::App* command = app.add_subcommand(
      "package", "Package an image for containers, systemd, Kubernetes or hypervisors");
  command
      ->add_option("IMAGE", words->images,
                   "What crunch build wrote: -t unix, for machines -t virtio")
      ->required();
  command->add_option("--oci", words->oci,
                      "Write a container image (an OCI archive, which docker loads too)");
  command->add_option("--tag", words->tag, "Its name [NAME:latest]");
  command->add_option("--systemd", words->systemd,
                      "Write a service and its sockets into this directory");
  command->add_option("--user", words->user, "The user that the service runs as [a dynamic user]");
  command->add_option("--log", words->log, "The service's access log: combined or json [off]");
  command->add_option("--kubernetes", words->kubernetes,
                      "Write manifests for Kubernetes into this directory");
  command->add_option("--tls-secret", words->tls_secret,
                      "The Secret with certificate and key, for Kubernetes [none]");
  command->add_option("--name", words->name, "The name of units and objects [the image's name]");
  command->add_option("--management-port", words->management_port,
                      "Port of metrics and health checks [systemd: off; containers: 9100]");
  add_machine_options(*command, *words);
  command->footer(
      "Examples:\n"
      "  crunch package site --oci site.tar && podman load -i site.tar\n"
      "  crunch package site --systemd units --log combined\n"
      "  crunch package site --kubernetes objects --tag registry.example/site:7\n"
      "  crunch package site.virtio --libvirt site.xml && virsh create site.xml");
  command->callback([words, &action] {
    action = [words] {
      if (!words->log.empty() && words->log != "combined" && words->log != "json") {
        constexpr std::string_view known[] = {"combined", "json"};
        refuse_word("log", words->log, known);
      }
      return package_images(*words);
    };
  });
}

}  // namespace crunch
