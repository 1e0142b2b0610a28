// SPDX-License-Identifier: ISC
#include "crunch/build/build.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crunch/build/acme.hpp"
#include "crunch/build/appended.hpp"
#include "crunch/build/companion.hpp"
#include "crunch/build/compiler.hpp"
#include "crunch/build/configured.hpp"
#include "crunch/build/libraries.hpp"
#include "crunch/build/recipe.hpp"
#include "crunch/build/settings.hpp"
#include "crunch/build/symbols.hpp"
#include "crunch/certificate/certificate.hpp"
#include "crunch/certificate/roots.hpp"
#include "crunch/check/check.hpp"
#include "crunch/embed/emit.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/progress.hpp"
#include "crunch/version.hpp"

namespace crunch::build {
namespace {

namespace fs = std::filesystem;

// Smaller content is assembled and linked: then any linker's image will do.
constexpr std::uint64_t appended_bytes_min = std::uint64_t{1} << 30U;

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Files as numbers, for they are small: a table that config/embedded_file.hpp declares.
class EmbeddedFiles {
 public:
  explicit EmbeddedFiles(std::string table) : table_(std::move(table)) {}
  void add(const std::string& name, const std::string& bytes) {
    const std::string array = table_ + "_" + std::to_string(count_++);
    arrays_ += "static const unsigned char " + array + "[] = {";
    for (const char c : bytes) arrays_ += std::to_string(static_cast<unsigned char>(c)) + ",";
    arrays_ += "};\n";
    rows_ += "    {\"" + name + "\", " + array + ", " + array + " + sizeof " + array + "},\n";
  }
  [[nodiscard]] std::string source() const {
    return "\n#include \"config/embedded_file.hpp\"\n" + arrays_ +
           "extern \"C\" {\nextern const config::EmbeddedFile " + table_ +
           "[];\nconst config::EmbeddedFile " + table_ + "[] = {\n" + rows_ +
           "    {nullptr, nullptr, nullptr}};\n}\n";
  }

 private:
  std::string table_;
  std::string arrays_;
  std::string rows_;
  std::size_t count_ = 0;
};

// As config/parts/credentials.hpp wants it.
std::string credentials_source(const std::vector<certificate::Pair>& pairs) {
  EmbeddedFiles files("crunched_credentials");
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    files.add("certificate " + std::to_string(i + 1) + " of the image", pairs[i].certificates);
    files.add("key " + std::to_string(i + 1) + " of the image", pairs[i].key);
  }
  return files.source();
}

// As config/parts/roots.hpp wants it.
std::string roots_source(const std::optional<certificate::Roots>& roots) {
  EmbeddedFiles files("crunched_roots");
  if (roots) files.add("the roots of the image", roots->pem);
  return files.source();
}

// What the command says about roots, checked; warnings go to standard error.
std::optional<certificate::Roots> roots_of(const Options& options) {
  if (!options.roots) return {};
  certificate::Roots roots = certificate::load_roots(*options.roots);
  for (const std::string& warning : roots.warnings) {
    std::fprintf(stderr, "crunch: warning: %s\n", warning.c_str());
  }
  return roots;
}

// Never the key.
std::string facts_json(const std::vector<certificate::Pair>& pairs) {
  std::string json = "[";
  for (const certificate::Pair& pair : pairs) {
    const certificate::Facts facts = certificate::check(pair);
    json += json.size() == 1 ? "{\"names\": [" : ", {\"names\": [";
    for (const std::string& name : facts.names) {
      if (&name != &facts.names.front()) json += ", ";
      embed::append_json(json, is_utf8(name) ? name : in_quotes(name));
    }
    json += "], \"not_before\": \"" + facts.not_before + "\", \"not_after\": \"" + facts.not_after +
            "\", \"key\": \"" + facts.key_type + "\"}";
  }
  return json + "]";
}

// docs/benchmarks.md, "TLS", has the figures.
void note_on_rsa(const certificate::Pair& pair) {
  std::fprintf(stderr,
               "crunch: note: %s: signing with an RSA key makes a new connection cost the server "
               "at least three times what ECDSA on P-256 does; add such a certificate, or ask your "
               "CA for one\n",
               pair.certificates_name.c_str());
}

// What the command says about certificates, checked; warnings go to standard error.
std::vector<certificate::Pair> pairs_of(const Options& options) {
  if (options.certificates.size() != options.keys.size()) {
    throw Usage("give as many --key as --cert, in the same order");
  }
  std::vector<certificate::Pair> pairs;
  for (std::size_t i = 0; i < options.certificates.size(); ++i) {
    pairs.push_back(certificate::load(options.certificates[i], options.keys[i]));
  }
  if (options.self_signed) {
    pairs.push_back(certificate::self_signed(*options.self_signed));
  }
  auto warn = [](const std::string& warning) {
    std::fprintf(stderr, "crunch: warning: %s\n", warning.c_str());
  };
  bool has_ecdsa = false;
  for (const certificate::Pair& pair : pairs) {
    const certificate::Facts facts = certificate::check(pair);
    for (const std::string& warning : facts.warnings) warn(warning);
    has_ecdsa = has_ecdsa || facts.key_type.starts_with("ECDSA");
  }
  if (!pairs.empty() && !has_ecdsa) note_on_rsa(pairs.front());
  if (pairs.empty() && !options.hosts.empty()) {
    throw Usage(
        "--expect-host asks whether a certificate covers it: give --cert and --key as well");
  }
  for (const std::string& host : options.hosts) {
    std::vector<std::string> refusals;
    for (const certificate::Pair& pair : pairs) {
      refusals.push_back(certificate::not_covered(pair, host));
    }
    // One that covers it is enough.
    if (std::find(refusals.begin(), refusals.end(), "") != refusals.end()) continue;
    for (const std::string& refusal : refusals) warn(refusal);
  }
  return pairs;
}

// One image being made.
class Run {
 public:
  Run(const Options& options, Recipe recipe, Compiler compiler,
      std::vector<certificate::Pair> pairs, std::optional<certificate::Roots> roots,
      std::vector<Setting> settings)
      : options_(options),
        pairs_(std::move(pairs)),
        roots_(std::move(roots)),
        settings_(std::move(settings)),
        recipe_(std::move(recipe)),
        compiler_(std::move(compiler)),
        libraries_(recipe_folder(), recipe_, compiler_.words()),
        work_(options.image) {
    // For the compiler: /tmp may be read-only, or too small.
    ::setenv("TMPDIR", work_.path().c_str(), 1);
  }

  Summary run() {
    Summary summary;
    embed::Options embedding = options_.embed;
    if (embedding.root.empty()) {
      embedding.root = in_work("none");
      make_directories(embedding.root);
    }
    embedding.out = work_.path();
    embedding.name = "site";
    embedding.leave_out.push_back(options_.image);
    embedding.apart_bytes_min = appended_bytes_min;
    if (recipe_.content_bytes_max != 0) embedding.content_bytes_max = recipe_.content_bytes_max;
    if (embedding.depfile_target.empty()) embedding.depfile_target = options_.image;
    if (!options_.config.empty()) embedding.also_read.push_back(options_.config);
    Stopwatch configuring;
    // First, so that what is wrong with it is said before the site is compressed.
    const Configured main =
        configured({recipe_, options_.config, settings_, embedding.cache, work_.path()});
    summary.compile_seconds = configuring.seconds();
    summary.embedded = embed::embed(embedding);
    if (options_.checks_links) check::warn_of_links(embedding);
    Stopwatch compiling;
    compile_site(*main.keys);
    summary.compile_seconds += compiling.seconds();
    Stopwatch linking;
    link(main.object);
    if (summary.embedded.is_apart) append_content(in_work("image"), in_work("site.content"));
    summary.link_seconds = linking.seconds();
    summary.image_bytes = fs::file_size(in_work("image"));
    summary.is_changed = put_in_place(in_work("image"), options_.image, mode());
    if (options_.keeps_symbols) {
      put_in_place(in_work("debug"), options_.image + ".debug", mode());
    }
    summary.companion = write_companion(recipe_, options_.image);
    summary.start = start_line();
    return summary;
  }

 private:
  // As a shell takes it.
  [[nodiscard]] std::string start_line() const {
    constexpr std::string_view place = "@IMAGE@";
    std::string line = recipe_.start;
    const std::size_t at = line.find(place);
    if (at == std::string::npos) return line;
    std::string path = options_.image;
    if (at == 0 && path.find('/') == std::string::npos) path.insert(0, "./");
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+=:@%,";
    if (path.find_first_not_of(plain) != std::string::npos) {
      std::string quoted = "'";
      for (const char c : path) quoted += c == '\'' ? "'\\''" : std::string(1, c);
      path = quoted + "'";
    }
    return line.replace(at, place.size(), path);
  }

  [[nodiscard]] std::string in_work(const std::string& name) const {
    return work_.path() + "/" + name;
  }

  // An image with a private key in it is its owner's only.
  [[nodiscard]] mode_t mode() const { return pairs_.empty() ? 0755 : 0700; }

  // The site, and in the same object, so that linkers keep it, what `crunch inspect` says about the
  // image itself.
  void compile_site(const KeyTable& keys) const {
    write_file(in_work("image.json"), note(keys));
    write_file(in_work("libraries.json"), libraries_.all());
    write_file(in_work("image.cpp"),
               "#include \"site.cpp\"\n\nasm(R\"(\n.pushsection .crunch.image,\"\",@progbits\n"
               ".incbin \"image.json\"\n.popsection\n.pushsection " +
                   std::string(libraries_section) +
                   ",\"\",@progbits\n.incbin \"libraries.json\"\n.popsection\n)\");\n" +
                   credentials_source(pairs_) + roots_source(roots_) +
                   settings_source(keys.for_boot(settings_)));
    std::vector<std::string> call = compiler_call(compiler_.words(), recipe_);
    // The assembler looks for the content in the folders of -I.
    call.insert(call.end(), {"-I" + work_.path(), "-ffile-prefix-map=" + work_.path() + "/=", "-c",
                             in_work("image.cpp"), "-o", in_work("image.o")});
    run_compiler(call, "compile the embedded site");
  }

  [[nodiscard]] std::string note(const KeyTable& keys) const {
    std::string note = "{\"format\": 1, \"crunch\": \"" CRUNCH_VERSION "\", \"target\": ";
    embed::append_json(note, recipe_.target);
    note += ", \"config\": ";
    std::string config =
        options_.config.empty() ? "default" : fs::path(options_.config).filename().string();
    embed::append_json(note, is_utf8(config) ? config : in_quotes(config));
    if (!pairs_.empty()) note += ", \"certificates\": " + facts_json(pairs_);
    const std::vector<Setting> used = keys.used(settings_);
    if (!used.empty()) note += ", \"settings\": " + settings_json(used);
    return note + "}\n";
  }

  // The image, or one that still has its symbols; `more` is another object.
  void link(const std::string& main, const std::string& to, bool with_symbols,
            const std::string& more = {}) const {
    std::vector<std::string> call = compiler_.words();
    call.insert(call.end(), {"-o", in_work(to), main, in_work("image.o")});
    if (!more.empty()) call.push_back(in_work(more));
    call.emplace_back("-Wl,--start-group");
    call.insert(call.end(), recipe_.libraries.begin(), recipe_.libraries.end());
    call.emplace_back("-Wl,--end-group");
    for (const std::string& flag : recipe_.link_flags) {
      if (!with_symbols || flag != "-s") call.push_back(flag);
    }
    call.push_back("-Wl,-Map=" + in_work("map"));
    run_compiler(call, "link the image");
    libraries_.record(in_work(to), read_file(in_work("map")));
  }

  void link(const std::string& main) const {
    std::string table;
    if (recipe_.symbols.empty()) {
      link(main, "image", false);
    } else {
      table = link_with_table(main);
    }
    if (!options_.keeps_symbols) return;
    link(main, "debug", true, table);
    if (code_of(in_work("debug")) != code_of(in_work("image"))) {
      throw Failure(
          "the linker placed code elsewhere in the image with symbols; report this as a bug");
    }
  }

  // The image with a table of its functions; the name of the table's object.
  [[nodiscard]] std::string link_with_table(const std::string& main) const {
    link(main, "named", true);
    const std::string named = in_work("named");
    write_file(in_work("symbols.bin"), symbol_table_of(named));
    write_file(in_work("symbols.cpp"), "asm(R\"(\n.pushsection .rodata." + recipe_.symbols +
                                           ",\"a\",@progbits\n.balign 4\n.globl " +
                                           recipe_.symbols + "\n" + recipe_.symbols +
                                           ":\n.incbin \"symbols.bin\"\n.popsection\n)\");\n");
    std::vector<std::string> call = compiler_call(compiler_.words(), recipe_);
    call.insert(call.end(),
                {"-I" + work_.path(), "-c", in_work("symbols.cpp"), "-o", in_work("symbols.o")});
    run_compiler(call, "compile the table of symbols");
    link(main, "image", false, "symbols.o");
    if (code_of(named) != code_of(in_work("image"))) {
      throw Failure(
          "the linker moved the image's code when its table of symbols was added; report this as a "
          "bug");
    }
    return "symbols.o";
  }

  const Options& options_;
  std::vector<certificate::Pair> pairs_;
  std::optional<certificate::Roots> roots_;
  std::vector<Setting> settings_;
  Recipe recipe_;
  Compiler compiler_;
  Libraries libraries_;
  WorkFolder work_;
};

// An image takes the place of an image, or of nothing: never of a page, say, that was named by
// mistake.
void check_replaceable(const std::string& path) {
  std::error_code none;
  const std::uintmax_t size_bytes = fs::file_size(path, none);
  if (none || size_bytes == 0) return;
  std::array<char, 4> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  if (std::string_view(magic.data(), magic.size()) == "\177ELF") return;
  throw Failure("cannot write the image: " + in_quotes(path) +
                " exists and is not an image; remove it, or give another name");
}

}  // namespace

Summary build(const Options& said) {
  Options options = said;
  Recipe recipe = read_recipe(recipe_folder(), options.target);
  if (std::string obstacle = obstacle_to_file(options.image); !obstacle.empty()) {
    throw Failure("cannot write the image: " + obstacle);
  }
  check_replaceable(options.image);
  const std::string& root = options.embed.root;
  if (root.empty() && options.config.empty()) {
    throw Usage("give the directory that holds the site: crunch build DIR -t TARGET -o IMAGE");
  }
  if (!root.empty()) {
    check_directory(root);
    note_missing_index(root);
  }
  std::vector<Setting> settings = gather_settings(root, options.set);
  choose_acme(options, settings);
  return Run(options, std::move(recipe), Compiler::find(), pairs_of(options), roots_of(options),
             std::move(settings))
      .run();
}

std::string summary_text(const Summary& summary, const Options& options) {
  std::array<char, 128> times{};
  std::snprintf(times.data(), times.size(), ", compiled in %.1f s, linked in %.1f s",
                summary.compile_seconds, summary.link_seconds);
  return embed::summary_text(summary.embedded) + "\n" + options.image + ": " +
         bytes_text(summary.image_bytes) + " for " + options.target + times.data() +
         (summary.is_changed ? "" : ", unchanged") +
         (summary.companion.empty() ? "" : "\n" + summary.companion + ": how to start it") +
         (summary.start.empty() ? "" : "\nstart it: " + summary.start);
}

}  // namespace crunch::build
