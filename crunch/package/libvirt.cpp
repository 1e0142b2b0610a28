// SPDX-License-Identifier: ISC
#include "crunch/package/libvirt.hpp"

#include <string_view>

namespace crunch::package {
namespace {

// As character data, or as the value of an attribute in single quotes. There are no control
// characters (machine_of).
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string disks_of(const Machine& machine) {
  std::string text;
  char letter = 'a';
  for (const std::string& disk : machine.disks) {
    text += "    <disk type='file' device='disk'>\n";
    text += "      <driver name='qemu' type='raw' cache='writeback'/>\n";
    text += "      <source file='" + escaped(disk) + "'/>\n";
    text += std::string("      <target dev='vd") + letter + "' bus='virtio'/>\n    </disk>\n";
    ++letter;
  }
  return text;
}

std::string interface_of(const Machine& machine) {
  if (machine.network.empty()) return "";
  return "    <interface type='bridge'>\n      <source bridge='" + escaped(machine.network) +
         "'/>\n      <model type='virtio'/>\n      <rom enabled='no'/>\n    </interface>\n";
}

// Besides what libvirt says to QEMU. libvirt gives its own devices the first free slots, and does
// not know of this one: it takes one of the last.
std::string user_network_of(const Machine& machine) {
  if (!machine.network.empty()) return "";
  std::string wire = "user,id=wire,restrict=on";
  for (const Forward& forward : machine.forwards) {
    wire += ",hostfwd=tcp:127.0.0.1:" + std::to_string(forward.from) +
            "-:" + std::to_string(forward.to);
  }
  std::string text = "  <qemu:commandline>\n";
  for (const std::string_view word :
       {std::string_view("-netdev"), std::string_view(wire), std::string_view("-device"),
        std::string_view("virtio-net-pci,netdev=wire,addr=0x1e,romfile=")}) {
    text += "    <qemu:arg value='" + std::string(word) + "'/>\n";
  }
  return text + "  </qemu:commandline>\n";
}

}  // namespace

std::string libvirt_domain(const Machine& machine) {
  const std::string_view type = machine.is_emulated ? "qemu" : "kvm";
  std::string text = "<domain type='" + std::string(type) + "'";
  if (machine.network.empty()) {
    text += " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'";
  }
  text += ">\n  <name>" + machine.name + "</name>\n";
  text += "  <memory unit='MiB'>" + std::to_string(machine.memory_mib) + "</memory>\n";
  text += "  <vcpu>1</vcpu>\n  <os>\n    <type arch='x86_64' machine='pc'>hvm</type>\n";
  text += "    <kernel>" + escaped(machine.image) + "</kernel>\n";
  if (!machine.boot_line.empty()) {
    text += "    <cmdline>" + escaped(machine.boot_line) + "</cmdline>\n";
  }
  // ACPI has the power button, by which `virsh shutdown` drains it.
  text += "  </os>\n  <features>\n    <acpi/>\n  </features>\n";
  text += machine.is_emulated ? "  <cpu mode='maximum'/>\n" : "  <cpu mode='host-passthrough'/>\n";
  text += "  <on_poweroff>destroy</on_poweroff>\n  <on_reboot>destroy</on_reboot>\n";
  text += "  <on_crash>destroy</on_crash>\n  <devices>\n" + disks_of(machine);
  text += "    <controller type='usb' model='none'/>\n" + interface_of(machine);
  text +=
      "    <serial type='pty'>\n      <target type='isa-serial' port='0'/>\n    </serial>\n"
      "    <console type='pty'>\n      <target type='serial' port='0'/>\n    </console>\n"
      "    <memballoon model='none'/>\n"
      "    <rng model='virtio'>\n      <backend model='random'>/dev/urandom</backend>\n"
      "    </rng>\n  </devices>\n";
  return text + user_network_of(machine) + "</domain>\n";
}

}  // namespace crunch::package
