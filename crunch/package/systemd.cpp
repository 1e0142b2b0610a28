// SPDX-License-Identifier: ISC
#include "crunch/package/systemd.hpp"

#include <filesystem>

#include "crunch/failure.hpp"

namespace crunch::package {
namespace {

// What serving does not need. The sockets come from outside, so the service has no network of its
// own, and no socket but those.
constexpr const char* sandbox = R"(
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateTmp=yes
PrivateUsers=yes
PrivateIPC=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service seccomp
SystemCallFilter=landlock_create_ruleset landlock_add_rule landlock_restrict_self
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
DevicePolicy=closed
IPAddressDeny=any
UMask=0077
)";

// As a word of ExecStart: systemd.syntax(7).
std::string unit_word(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%' || c == '$') out += c;  // specifiers and variables
    out += c;
  }
  return out + '"';
}

TextFile socket_unit(const Service& service, const std::string& what, const std::string& listen) {
  std::string text = "[Unit]\nDescription=" + service.name + ", port of " + what + "\n\n[Socket]\n";
  text += "ListenStream=" + listen + "\n";
  text += "FileDescriptorName=" + what + "\n";
  text += "Service=" + service.name + ".service\n";
  text += "NoDelay=yes\n\n[Install]\nWantedBy=sockets.target\n";
  return {service.name + "-" + what + ".socket", text};
}

}  // namespace

std::vector<TextFile> systemd_units(const Image& image, const Service& service) {
  if (image.is_secret && service.user.empty()) {
    throw Failure(in_quotes(image.path) +
                  " may be started by its owner only, as a key is in it: say that owner with "
                  "--user, or keep the key outside (--cert and --key)");
  }
  std::vector<TextFile> units;
  units.push_back(socket_unit(service, "http", "80"));
  if (image.has_https) units.push_back(socket_unit(service, "https", "443"));
  if (service.management && image.has_management) {
    const std::string address = "127.0.0.1:" + std::to_string(*service.management);
    units.push_back(socket_unit(service, "management", address));
  }
  std::string sockets;
  for (const TextFile& unit : units) sockets += (sockets.empty() ? "" : " ") + unit.name;

  const std::string path =
      std::filesystem::weakly_canonical(std::filesystem::absolute(image.path)).string();
  std::string text = "[Unit]\nDescription=" + service.name + ", a web site by crunch\n";
  text += "Requires=" + sockets + "\nAfter=" + sockets + "\n\n[Service]\nType=notify\n";
  text += "Sockets=" + sockets + "\n";
  text += "ExecStart=" + unit_word(path);
  if (!service.log.empty()) text += " --log=" + service.log;
  if (service.management && image.has_management) {
    text += " --management-port=" + std::to_string(*service.management);
  }
  // --user of the image is for root; here systemd chooses.
  text += "\nExecReload=/bin/kill -HUP $MAINPID\nWatchdogSec=30\nRestart=on-failure\n";
  text += service.user.empty() ? "DynamicUser=yes\n" : "User=" + service.user + "\n";
  text += "LimitNOFILE=65536\n";
  text += sandbox;
  text += "\n[Install]\nWantedBy=multi-user.target\n";
  units.push_back({service.name + ".service", text});
  return units;
}

}  // namespace crunch::package
