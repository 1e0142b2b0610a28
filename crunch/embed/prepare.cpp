// SPDX-License-Identifier: ISC
#include "crunch/embed/prepare.hpp"

#include <algorithm>

#include "crunch/failure.hpp"
#include "http/mime.hpp"
#include "http/options.hpp"
#include "http/target.hpp"

namespace crunch::embed {
namespace {

bool has(std::uint8_t encodings, kv::Encoding encoding) {
  return ((encodings >> kv::index_of(encoding)) & 1U) != 0;
}

}  // namespace

Prepared Preparer::prepare(std::size_t file) {
  const Source& source = tree_.files()[file];
  Prepared prepared;
  prepared.is_held = source.size_bytes <= held_bytes_max;
  warn_if_unreachable(source.key, prepared);
  take_siblings(file, prepared);
  if (!prepared.is_held) return prepared;
  prepared.bytes = read_whole(tree_, source);
  prepared.sha256 = kv::sha256_of(prepared.bytes);
  if (!http::is_compressible(http::media_type(source.key))) return prepared;
  std::uint8_t wanted = 0;
  for (kv::Encoding encoding : compressed_encodings) {
    if (has(encodings_, encoding) && !prepared.siblings[kv::index_of(encoding)]) {
      wanted = static_cast<std::uint8_t>(wanted | 1U << kv::index_of(encoding));
    }
  }
  if (wanted != 0) compress(prepared, wanted);
  return prepared;
}

// An address is longer than its key where that is not ASCII.
void Preparer::warn_if_unreachable(kv::Key key, Prepared& prepared) const {
  const std::size_t address_bytes = 1 + http::percent_encoded_bytes(key);
  const std::size_t most = http::Options{}.target_bytes_max;
  if (address_bytes <= most) return;
  prepared.warnings.push_back(in_quotes(tree_.name_of(key)) +
                              " cannot be requested: its address takes " +
                              std::to_string(address_bytes) + " bytes, and the server accepts " +
                              std::to_string(most) + "; shorten the names of its folders");
}

void Preparer::take_siblings(std::size_t file, Prepared& prepared) {
  const std::vector<Source>& files = tree_.files();
  for (kv::Encoding encoding : compressed_encodings) {
    if (!has(encodings_, encoding)) continue;
    std::string key = files[file].key + std::string(suffix_of(encoding));
    auto at = std::ranges::lower_bound(files, key, {}, &Source::key);
    if (at == files.end() || at->key != key) continue;
    Reading coded(tree_, *at);
    Reading original(tree_, files[file]);
    bool is_good = decodes_to(
        encoding, [&](base::MutableBytes out) { return coded.read(out); },
        [&](base::MutableBytes out) { return original.read(out); });
    if (!is_good) {
      prepared.warnings.push_back(
          in_quotes(tree_.name_of(key)) + " does not decompress to the bytes of " +
          in_quotes(tree_.name_of(files[file].key)) + "; it is served as a file of its own only");
    } else if (at->size_bytes < files[file].size_bytes) {
      prepared.siblings[kv::index_of(encoding)] = static_cast<std::size_t>(at - files.begin());
    }
  }
}

void Preparer::compress(Prepared& prepared, std::uint8_t wanted) {
  std::uint64_t bytes_max = worthwhile_bytes_max(prepared.bytes.size());
  if (bytes_max == 0) return;
  auto is_complete = [wanted](const Forms& forms) {
    return std::ranges::all_of(compressed_encodings, [&](kv::Encoding encoding) {
      return !has(wanted, encoding) ||
             forms[kv::index_of(encoding)].state != MadeForm::State::unknown;
    });
  };
  Forms forms = known_.find(prepared.sha256);
  if (!is_complete(forms)) forms = cache_.find(prepared.sha256);
  if (!is_complete(forms)) {
    for (kv::Encoding encoding : compressed_encodings) {
      MadeForm& form = forms[kv::index_of(encoding)];
      if (!has(wanted, encoding) || form.state != MadeForm::State::unknown) continue;
      check_stopped();
      auto made = compressor_.compress(encoding, prepared.bytes, bytes_max);
      form.state = made ? MadeForm::State::made : MadeForm::State::not_worthwhile;
      if (!made) continue;
      form.size_bytes = made->size();
      form.sha256 = kv::sha256_of(*made);
      form.bytes = std::move(*made);
    }
    cache_.keep(prepared.sha256, forms);
  }
  for (kv::Encoding encoding : compressed_encodings) {
    std::size_t at = kv::index_of(encoding);
    if (has(wanted, encoding)) prepared.forms[at] = std::move(forms[at]);
  }
}

}  // namespace crunch::embed
