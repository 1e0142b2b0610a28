// SPDX-License-Identifier: ISC
#include "crunch/disk/command.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "config/value.hpp"
#include "crunch/disk/disk.hpp"
#include "crunch/failure.hpp"

namespace crunch {
namespace {

struct DiskWords {
  disk::Format format;
  std::string size;
  bool is_vault = false;
  std::string key;
  std::string value_path;
};

std::uint64_t disk_size_of(const std::string& text) {
  if (text.empty()) return 0;
  const config::Shape shape{.type = "size",
                            .least = static_cast<std::int64_t>(disk::size_bytes_min),
                            .most = static_cast<std::int64_t>(disk::size_bytes_max)};
  const auto size = config::read<config::Size>(shape, text);
  if (!size || size->bytes % 512 != 0) {
    throw Usage("--size takes 64KiB to 256MiB, a multiple of 512 bytes, not " + in_quotes(text));
  }
  return size->bytes;
}

int format_disk(DiskWords& words) {
  if (!words.is_vault) {
    throw Usage("say what the disk is for: --vault, for keys and certificates");
  }
  words.format.size_bytes = disk_size_of(words.size);
  disk::format(words.format);
  return 0;
}

}  // namespace

void add_disk_command(CLI::App& app, Action& action) {
  auto words = std::make_shared<DiskWords>();
  CLI::App* command =
      app.add_subcommand("disk", "Make disks for images; read and change what is on them");
  command->require_subcommand(1);
  command->footer(
      "Example:\n"
      "  crunch disk format site.disk --vault\n"
      "  crunch disk set site.disk tls/cert fullchain.pem\n"
      "  crunch disk set site.disk tls/key privkey.pem");
  const auto add = [&](const char* name, const char* about, std::function<void()> run) {
    CLI::App* one = command->add_subcommand(name, about);
    one->add_option("FILE", words->format.path, "The disk: a file, or a block device")->required();
    one->callback([run = std::move(run), words, &action] {
      action = [run] {
        run();
        return 0;
      };
    });
    return one;
  };
  const auto add_key = [&](CLI::App* one, const char* about) {
    one->add_option("KEY", words->key, about)->required();
  };
  CLI::App* format =
      add("format", "Make a disk", [words] { static_cast<void>(format_disk(*words)); });
  format->add_flag("--vault", words->is_vault, "It is a vault: for keys and certificates");
  format->add_option("--size", words->size, "Of a new file: 64KiB to 256MiB [1MiB]")
      ->type_name("SIZE");
  format->add_flag("--force", words->format.overwrites, "Overwrite what is not empty");
  CLI::App* set = add("set", "Put a value on the disk",
                      [words] { disk::set(words->format.path, words->key, words->value_path); });
  add_key(set, "Such as tls/key");
  set->add_option("VALUE-FILE", words->value_path, "The file with the value; -: standard input")
      ->required();
  add_key(add("get", "Write a value to standard output",
              [words] { disk::get(words->format.path, words->key); }),
          "Such as tls/cert");
  add_key(
      add("remove", "Remove a value", [words] { disk::remove(words->format.path, words->key); }),
      "Such as tls/key");
  add("show", "List the keys", [words] { disk::show(words->format.path); });
  add("check", "Read all values, and say which are damaged",
      [words] { disk::check(words->format.path); });
}

}  // namespace crunch
