// SPDX-License-Identifier: ISC
// tests/kv/rw_laws.hpp: laws 10 to 12 and 15 of kv::KvRw as functions that list what breaks them.
//
// Method: each law changes a store and looks at all of it, then looks again after a restart.
//
// A fixture is made by Fixture(base::Loop&) and has store(), and restart(), which replaces the
// store by a new one on the same medium.

#pragma once

#include <array>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "kv/rw.hpp"
#include "tests/kv/laws.hpp"

namespace kv {

template <class Fixture>
class RwLaws {
 public:
  static constexpr std::array numbers{10, 11, 12, 15};

  RwLaws() : fixture_(loop_) {}

  // What breaks law `number`; empty: nothing.
  std::vector<std::string> broken(int number) {
    broken_.clear();
    if (number == 10) law_10();
    if (number == 11) law_11();
    if (number == 12) law_12();
    if (number == 15) law_15();
    return broken_;
  }

 private:
  using Values = std::map<std::string, std::string>;

  void expect(bool holds, const std::string& what) {
    if (!holds) broken_.push_back(what);
  }
  auto set(Key key, std::string_view value) {
    return answer(loop_, fixture_.store().set(key, base::bytes_of(value)));
  }
  auto remove(Key key) { return answer(loop_, fixture_.store().remove(key)); }
  std::optional<std::string> get(Key key) {
    auto value = answer(loop_, fixture_.store().get(key, Encoding::identity));
    if (!value) return std::nullopt;
    return std::string(base::text_of(static_cast<Bytes>(*value)));
  }
  static bool fails(const ChangeResult<void>& result, ChangeError error) {
    return !result && result.error() == error;
  }

  void collect(const std::string& key, Values& values) {
    auto entries = answer(loop_, fixture_.store().list(key));
    expect(entries.has_value(), '"' + key + "\" cannot be listed");
    if (!entries) return;
    for (const Entry& entry : *entries) {
      const std::string below = key.empty() ? entry.name : key + '/' + entry.name;
      if (entry.kind == Kind::dictionary) {
        collect(below, values);
      } else {
        values[below] = get(below).value_or("(cannot be read)");
      }
    }
  }
  // The store holds `expected` and nothing else, now and after a restart.
  void expect_all(const Values& expected, const std::string& when) {
    for (const bool is_restarted : {false, true}) {
      if (is_restarted) fixture_.restart();
      Values all;
      collect("", all);
      expect(all == expected, when + (is_restarted ? ", after a restart" : ""));
      for (const auto& [key, value] : expected) {
        auto stat = answer(loop_, fixture_.store().stat(key));
        expect(stat && stat->form(Encoding::identity).size_bytes == value.size() &&
                   stat->form(Encoding::identity).digest == digest_of(base::bytes_of(value)),
               when + ": stat of " + key);
      }
    }
  }

  void law_10() {
    Values values;
    const std::string large(100'000, 'L');
    for (const auto& [key, value] : Values{{"a", "one"},
                                           {"b/c", "two"},
                                           {"b/d/e", ""},
                                           {"large", large},
                                           {std::string(vault_key_bytes_max, 'k'), "long"}}) {
      expect(set(key, value).has_value(), "cannot set " + key);
      values[key] = value;
      expect_all(values, "after " + key + " was set");
    }
    for (const std::string& value :
         {std::string("other"), std::string(), large, std::string("x")}) {
      expect(set("a", value).has_value(), "cannot set a again");
      values["a"] = value;
      expect_all(values, "after a was set again to " + std::to_string(value.size()) + " bytes");
    }
    expect(set("/b/c", "slash").has_value(), "cannot set /b/c");
    values["b/c"] = "slash";
    expect_all(values, "after /b/c was set");
  }

  void law_11() {
    for (const char* key : {"a", "b/c", "b/d/e"}) {
      expect(set(key, key).has_value(), std::string("cannot set ") + key);
    }
    Values values{{"a", "a"}, {"b/c", "b/c"}, {"b/d/e", "b/d/e"}};
    expect(fails(remove("nothing"), ChangeError::not_found), "nothing is removed");
    expect(fails(remove("b/nothing"), ChangeError::not_found), "b/nothing is removed");
    expect(fails(remove("a/x"), ChangeError::not_found), "what is below a value is removed");
    expect(fails(remove("../a"), ChangeError::not_found), "../a is removed");
    expect(fails(remove("b"), ChangeError::conflict), "a dictionary is removed");
    expect(fails(remove(""), ChangeError::conflict), "the root is removed");
    expect_all(values, "after removing nothing");
    for (const char* key : {"/b/d/e", "a", "b/c"}) {
      expect(remove(key).has_value(), std::string("cannot remove ") + key);
      values.erase(*key == '/' ? key + 1 : key);
      expect_all(values, std::string("after removing ") + key);
      expect(fails(remove(key), ChangeError::not_found), "it is removed again");
    }
    expect(set("b", "a value now").has_value(), "a dictionary's key stays taken");
    expect_all({{"b", "a value now"}}, "after b became a value");
  }

  void law_12() {
    const Values values{{"a", "1"}, {"b/c", "2"}};
    for (const auto& [key, value] : values) expect(set(key, value).has_value(), "cannot set");
    const std::string bad[] = {"",        ".",    "..",   "../a",     "a/../b",
                               "//a",     "b/",   "b//c", ".hidden",  "b/.hidden",
                               "a b",     "a\nb", "a\\b", "\xc3\xa9", std::string("a\0b", 3),
                               "b/c\x7f", "a:b",  "b/*",  "~",        std::string(201, 'k')};
    for (const std::string& key : bad) {
      expect(fails(set(key, "x"), ChangeError::bad_key), '"' + key + "\" is set");
    }
    expect(fails(set("a/x", "x"), ChangeError::conflict), "a key below a value is set");
    expect(fails(set("b/c/x/y", "x"), ChangeError::conflict), "a key below a value is set");
    expect(fails(set("b", "x"), ChangeError::conflict), "a dictionary is set");
    const std::string too_large(vault_value_bytes_max + 1, 'x');
    expect(fails(set("large", too_large), ChangeError::too_large), "what is too large is set");
    expect(fails(set("a", too_large), ChangeError::too_large), "what is too large is set again");
    expect_all(values, "after changes that failed");
    expect(set("large", too_large.substr(1)).has_value(), "the largest value cannot be set");
  }

  void law_15() {
    expect(set("a", "old").has_value(), "cannot set");
    auto held = answer(loop_, fixture_.store().get("a", Encoding::identity));
    // All at once: the answers are those of one after the other.
    std::vector<std::string> seen;
    const std::string values[] = {"one", "two", "three"};
    for (const std::string& value : values) loop_.spawn(set_and_look(value, seen));
    loop_.run();
    expect(get("a") == seen.back(), "the last change is not the one that is seen");
    expect(seen.size() == 3, "a change was lost");
    expect(remove("a").has_value(), "cannot remove");
    expect(set("b", "OTHER").has_value(), "cannot set");
    expect(held && base::text_of(static_cast<Bytes>(*held)) == "old", "a Value changed");
  }
  base::Task<void> set_and_look(const std::string& value, std::vector<std::string>& seen) {
    const ChangeResult<void> was_set = co_await fixture_.store().set("a", base::bytes_of(value));
    expect(was_set.has_value(), "cannot set " + value);
    seen.push_back(value);
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Fixture fixture_;
  std::vector<std::string> broken_;
};

}  // namespace kv
