// SPDX-License-Identifier: ISC
#include "config/parts/secrets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "config/instances.hpp"

namespace config {
namespace {

base::Bytes without_end(base::Bytes bytes) {
  const auto is_blank = [](std::byte b) {
    return b == std::byte{'\n'} || b == std::byte{'\r'} || b == std::byte{' '} ||
           b == std::byte{'\t'};
  };
  while (!bytes.empty() && is_blank(bytes.back())) bytes = bytes.first(bytes.size() - 1);
  return bytes;
}

SecretText from_file(const std::string& option, const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    return StartError(option + ": " + path + " cannot be read: " + why);
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (file == nullptr) throw cannot(std::strerror(errno));
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // no copy stays in its buffer
  base::SecretBytes bytes(secret_bytes_max + 1);
  if (!bytes.has_memory()) throw cannot(std::strerror(ENOMEM));
  const std::size_t size = std::fread(bytes.all().data(), 1, bytes.size(), file.get());
  if (std::ferror(file.get()) != 0) throw cannot(std::strerror(errno));
  if (size > secret_bytes_max) throw cannot("it has more than 64 KiB");
  return SecretText(base::Bytes(bytes.all()).first(size));
}

SecretText from_vault_key(const std::string& option, const std::string& name,
                          const std::function<kv::Result<kv::SecretValue>(kv::Key)>& from_vault,
                          std::string_view vault_place) {
  if (!from_vault) {
    throw StartError(option + " is " + name + " in a vault, and there is no vault");
  }
  const kv::Result<kv::SecretValue> value = from_vault(name);
  if (value) return SecretText(*value);
  const std::string place = option + ": " + name + " in " + std::string(vault_place);
  throw StartError(place + (value.error() == kv::Error::not_found
                                ? " is not there"
                                : " is damaged, or cannot be read"));
}

}  // namespace

SecretText::SecretText(base::Bytes bytes) : bytes_(without_end(bytes).size()) {
  std::ranges::copy(without_end(bytes).first(bytes_.size()), bytes_.all().begin());
}

SecretText read_secret(std::string_view key, const Secret& secret, bool has_files,
                       const std::function<kv::Result<kv::SecretValue>(kv::Key)>& from_vault,
                       std::string_view vault_place) {
  const std::string option = "--" + std::string(key);
  const std::string name(secret.name);
  if (secret.from == Secret::From::none) return {};
  if (secret.from == Secret::From::file && !has_files) {
    throw StartError(option + " names a file, and this target has none; put it into the vault");
  }
  SecretText text = secret.from == Secret::From::file
                        ? from_file(option, name)
                        : from_vault_key(option, name, from_vault, vault_place);
  if (text.is_empty()) throw StartError(option + ": " + name + " is empty");
  return text;
}

}  // namespace config
