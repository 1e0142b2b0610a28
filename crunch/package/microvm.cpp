// SPDX-License-Identifier: ISC
#include "crunch/package/microvm.hpp"

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "crunch/failure.hpp"

namespace crunch::package {
namespace {

void need_tap(const Machine& machine, std::string_view option) {
  if (!machine.network.empty()) return;
  throw Usage(std::string(option) + " needs a tap device of the host: name it with --network");
}

// As one word of sh(1).
std::string shell_word(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += R"('\'')";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// Cloud Hypervisor parts "key=value" at commas, unless the value is in double quotes.
std::string value_of(const std::string& path) {
  if (path.find('"') != std::string::npos) {
    throw Usage("--disk: Cloud Hypervisor takes no path with a \" in it: " + in_quotes(path));
  }
  return path.find_first_of(",[]") == std::string::npos ? path : '"' + path + '"';
}

}  // namespace

std::string firecracker_config(const Machine& machine) {
  need_tap(machine, "--firecracker");
  using Json = nlohmann::ordered_json;
  Json drives = Json::array();
  for (const std::string& disk : machine.disks) {
    drives.push_back({{"drive_id", "disk" + std::to_string(drives.size() + 1)},
                      {"path_on_host", disk},
                      {"is_root_device", false},
                      {"is_read_only", false}});
  }
  Json config;
  config["boot-source"] = {{"kernel_image_path", machine.image}, {"boot_args", machine.boot_line}};
  config["drives"] = drives;
  config["machine-config"] = {{"vcpu_count", 1}, {"mem_size_mib", machine.memory_mib}};
  config["network-interfaces"] = {{{"iface_id", "wire"}, {"host_dev_name", machine.network}}};
  config["entropy"] = Json::object();
  return config.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string cloud_hypervisor_script(const Machine& machine) {
  need_tap(machine, "--cloud-hypervisor");
  const std::vector<std::string> words{
      "--kernel",  machine.image,
      "--cpus",    "boot=1",
      "--memory",  "size=" + std::to_string(machine.memory_mib) + "M",
      "--net",     "tap=" + machine.network,
      "--serial",  "tty",
      "--console", "off",
  };
  std::string text = "#!/bin/sh\nexec cloud-hypervisor";
  for (const std::string& word : words) {
    text += word.starts_with("--") ? " \\\n  " + word : " " + shell_word(word);
  }
  if (!machine.boot_line.empty()) text += " \\\n  --cmdline " + shell_word(machine.boot_line);
  if (!machine.disks.empty()) text += " \\\n  --disk";
  for (const std::string& disk : machine.disks) text += " " + shell_word("path=" + value_of(disk));
  return text + "\n";
}

}  // namespace crunch::package
