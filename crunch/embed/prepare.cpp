// SPDX-License-Identifier: ISC
#include "crunch/embed/prepare.hpp"

#include <algorithm>

#include "crunch/embed/describe.hpp"
#include "crunch/failure.hpp"
#include "http/caching.hpp"
#include "http/mime.hpp"
#include "http/options.hpp"
#include "http/target.hpp"

namespace crunch::embed {
namespace {

// As much of a coded file is decoded to see what it is: more could be a bomb.
constexpr std::uint64_t decoded_bytes_max = std::uint64_t{1} << 30U;
constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

bool has(std::uint8_t encodings, kv::Encoding encoding) {
  return ((encodings >> kv::index_of(encoding)) & 1U) != 0;
}

}  // namespace

bool Preparer::is_there(std::string_view key) const {
  const std::vector<Source>& files = tree_.files();
  auto at = std::ranges::lower_bound(files, key, {}, &Source::key);
  return at != files.end() && at->key == key;
}

// False: it is no coded form, or its plain file is there.
bool Preparer::describe_stored(const Source& source, Prepared& prepared) const {
  const std::optional<InnerName> inner = inner_name(source.key);
  if (!inner || is_there(inner->key)) return false;
  Reading coded(tree_, source);
  Text text;
  std::uint64_t decoded_bytes = 0;
  const bool is_good = decode(
      inner->encoding, [&](base::MutableBytes out) { return coded.read(out); },
      [&](kv::Bytes piece) {
        text.add(piece);
        decoded_bytes += piece.size();
        return decoded_bytes <= decoded_bytes_max;
      });
  if (!is_good && decoded_bytes <= decoded_bytes_max) {
    prepared.warnings.push_back(in_quotes(tree_.name_of(source.key)) + " is not in " +
                                std::string(kv::name_of(inner->encoding)) +
                                "; it is served as a file of its own only");
    return false;
  }
  std::string_view said = site_.type_of(inner->key);
  prepared.type = media_type_of(inner->key, text, said);
  prepared.stored = inner->encoding;
  return true;
}

void Preparer::describe(const Source& source, Prepared& prepared) const {
  prepared.caching = site_.caching_of(source.key);
  if (prepared.caching.empty() && fingerprints_.confirm(source.key)) {
    prepared.caching = http::immutable;
  }
  if (describe_stored(source, prepared)) return;
  Text text;
  if (prepared.is_held) {
    text.add(prepared.bytes);
  } else {
    Reading reading(tree_, source);
    std::vector<std::byte> piece(piece_bytes);
    while (std::size_t count = reading.read(piece)) text.add(base::Bytes(piece).first(count));
  }
  prepared.type = media_type_of(source.key, text, site_.type_of(source.key));
  if (text.holds_private_key()) {
    prepared.warnings.push_back(in_quotes(tree_.name_of(source.key)) +
                                " holds a private key, and everyone can read it; take it out of "
                                "the directory, or leave it out by --exclude");
  }
}

Prepared Preparer::prepare(std::size_t file) {
  const Source& source = tree_.files()[file];
  Prepared prepared;
  prepared.is_held = source.size_bytes <= held_bytes_max;
  warn_if_unreachable(source.key, prepared);
  if (prepared.is_held) {
    prepared.bytes = read_whole(tree_, source);
    prepared.sha256 = crypto::sha256_of(prepared.bytes);
  }
  describe(source, prepared);
  if (prepared.stored != kv::Encoding::identity) return prepared;
  take_siblings(file, prepared);
  if (!prepared.is_held || !http::is_compressible(prepared.type)) return prepared;
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
      form.sha256 = crypto::sha256_of(*made);
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
