// SPDX-License-Identifier: ISC
#include "crunch/build/compiler.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "crunch/failure.hpp"
#include "crunch/process.hpp"

namespace crunch::build {
namespace {

constexpr std::array<const char*, 12> names{"g++",        "c++",        "clang++",    "g++-15",
                                            "g++-14",     "g++-13",     "g++-12",     "clang++-19",
                                            "clang++-18", "clang++-17", "clang++-16", "clang++-14"};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

struct Judgement {
  std::string identity;  // empty: it will not do
  std::string why;
  bool is_clang = false;
};

// Asks the compiler itself: names and --version texts say little.
Judgement judge(const std::vector<std::string>& words) {
  std::vector<std::string> call = words;
  call.insert(call.end(), {"-dM", "-E", "-x", "c++", "/dev/null"});
  Outcome outcome = run_program(call);
  if (outcome.status != 0) return {"", "does not work: " + outcome.output.substr(0, 400)};
  int gcc = 0;
  int clang = 0;
  std::string version;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> parts = words_of(line);
    if (parts.size() < 3) continue;
    if (parts[1] == "__GNUC__") gcc = std::atoi(parts[2].c_str());
    if (parts[1] == "__clang_major__") clang = std::atoi(parts[2].c_str());
    if (parts[1] == "__VERSION__") version = line;
  }
  if (version.empty()) return {"", "is no C++ compiler that crunch knows"};
  bool is_old = clang != 0 ? clang < clang_major_min : gcc < gcc_major_min;
  if (!is_old) return {version, "", clang != 0};
  return {"", (clang != 0 ? "is clang " + std::to_string(clang) : "is gcc " + std::to_string(gcc)) +
                  ", which is too old"};
}

}  // namespace

Compiler Compiler::find() {
  std::string needs = "g++ " + std::to_string(gcc_major_min) + " or clang++ " +
                      std::to_string(clang_major_min) + " or newer";
  constexpr const char* advice = "; on Debian: apt install g++. CXX=PROGRAM chooses another";
  const char* chosen = std::getenv("CXX");
  std::string too_old;
  Compiler compiler;
  std::vector<std::vector<std::string>> candidates;
  if (chosen != nullptr && !words_of(chosen).empty()) {
    candidates.push_back(words_of(chosen));
    if (!find_program(candidates[0][0])) {
      throw Failure("the compiler that CXX names is not there: " + in_quotes(chosen) +
                    "; crunch needs " + needs);
    }
  } else {
    for (const char* name : names) candidates.push_back({name});
  }
  for (std::vector<std::string>& words : candidates) {
    if (!find_program(words[0])) continue;
    Judgement judgement = judge(words);
    if (!judgement.identity.empty()) {
      compiler.words_ = std::move(words);
      compiler.identity_ = std::move(judgement.identity);
      compiler.is_clang_ = judgement.is_clang;
      return compiler;
    }
    if (too_old.empty()) too_old = in_quotes(words[0]) + " " + judgement.why + "; ";
  }
  throw Failure(too_old.empty() ? "there is no C++ compiler in PATH; crunch needs " + needs + advice
                                : too_old + "crunch needs " + needs + advice);
}

}  // namespace crunch::build
