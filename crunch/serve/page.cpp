// SPDX-License-Identifier: ISC
#include "crunch/serve/page.hpp"

#include <charconv>

#include "base/check.hpp"

namespace crunch::serve {

namespace {

constexpr std::size_t events_bytes = 160;

constexpr std::string_view script_text = R"js('use strict';
// Put into pages by crunch's preview, and only there: reloads them when the site changes.
(function () {
  if (window.crunchPreview) return;
  window.crunchPreview = true;
  var version = document.currentScript.dataset.version;
  var loaded = version;
  var navigation = performance.getEntriesByType('navigation')[0];
  var foundNothing = navigation && navigation.responseStatus >= 400;
  var source = null;
  // Not the page's <base>.
  var root = location.origin + '/.crunch/';

  // A text above the page, until it is clicked or the page is loaded anew.
  function show(id, text) {
    var box = document.getElementById(id) || document.createElement('pre');
    box.id = id;
    box.textContent = text;
    box.style.cssText = 'position:fixed;z-index:2147483647;left:0;right:0;bottom:0;margin:0;' +
      'max-height:50vh;overflow:auto;padding:1em;background:#300;color:#fff;' +
      'font:14px/1.4 monospace;white-space:pre-wrap;text-align:left';
    box.onclick = function () { box.remove(); };
    document.body.appendChild(box);
  }

  // Whether the last reload brought the page that it was to replace.
  function isStale() {
    try {
      var last = JSON.parse(sessionStorage.getItem('crunch-reloaded') || '{}');
      sessionStorage.removeItem('crunch-reloaded');
      return last.address === location.href && last.version === loaded;
    } catch (error) {
      return false;
    }
  }

  function reloadNow() {
    try {
      sessionStorage.setItem('crunch-reloaded', JSON.stringify(
        { address: location.href, version: loaded }));
    } catch (error) { /* storage is off: then nothing is noticed */ }
    location.reload();
  }

  function stop() {
    if (source) source.close();
    source = null;
  }

  function listen() {
    stop();
    if (document.visibilityState === 'hidden') return;
    source = new EventSource(root + 'since-' + version);
    source.addEventListener('change', function (event) {
      var change = JSON.parse(event.data);
      version = change.version;
      stop();
      if (change.kind === 'styles' && takeOverStyles()) listen();
      else reload();
    });
    source.onerror = function () {
      // The browser itself connects again after the stream's end and when none answers. It gives
      // up when the answer is none that it understands.
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        setTimeout(listen, 1000);
      }
    };
  }

  function reload() {
    fetch(location.href, { method: 'HEAD', cache: 'no-store' }).then(function (answer) {
      if (answer.ok || foundNothing) {
        reloadNow();
        return;
      }
      // A generator may write it again: until then, it is said.
      show('crunch-gone', 'crunch: this page is gone (' + answer.status + ')');
      listen();
    }, function () {
      setTimeout(listen, 1000);
    });
  }

  // Loads each style sheet of this site anew beside the old one, which goes when the new one is
  // there: nothing flickers, nothing scrolls. False: there is none.
  function takeOverStyles() {
    var count = 0;
    // What is to have a certain digest cannot be changed in place.
    if (document.querySelector('link[rel~="stylesheet"][integrity]')) return false;
    document.querySelectorAll('link[rel~="stylesheet"]').forEach(function (old) {
      var address = new URL(old.href, location.href);
      if (address.origin !== location.origin) return;
      address.searchParams.set('crunch', version);
      var fresh = old.cloneNode();
      fresh.href = address.href;
      fresh.onload = fresh.onerror = function () { old.remove(); };
      old.after(fresh);
      count += 1;
    });
    return count > 0;
  }

  // What is wrong with the site's rules stands above the page; it is gone when it is mended, since
  // the page is loaded anew then.
  fetch(root + 'findings', { cache: 'no-store' }).then(function (answer) {
    return answer.text();
  }).then(function (text) {
    if (text) show('crunch-findings', text);
  }, function () {});

  if (isStale()) {
    show('crunch-stale', 'crunch: a service worker answers with an old copy of this page, so ' +
      'reloading has stopped. Unregister it (developer tools, Application, Service workers), ' +
      'then load the page again.');
    return;
  }
  document.addEventListener('visibilitychange', function () {
    if (document.visibilityState === 'hidden') stop();
    else listen();
  });
  // A page that comes back from the browser's store of left pages.
  window.addEventListener('pageshow', function (event) { if (event.persisted) listen(); });
  window.addEventListener('pagehide', stop);
  listen();
})();
)js";

std::string_view name_of(Change change) {
  switch (change) {
    case Change::none:
      return "none";
    case Change::styles:
      return "styles";
    case Change::page:
      return "page";
  }
  return {};
}

}  // namespace

std::string text_of(Version version) {
  std::string digits(16, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    digits[15 - i] = "0123456789abcdef"[(version >> (4 * i)) & 15U];
  }
  return digits;
}

std::optional<Version> version_of(std::string_view text) noexcept {
  Version version = 0;
  if (text.size() != 16) return std::nullopt;
  for (char digit : text) {
    if (digit >= 'A' && digit <= 'F') return std::nullopt;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return version;
}

std::string_view script() noexcept { return script_text; }

bool can_append_to(std::string_view html) noexcept {
  return !html.starts_with("\xFE\xFF") && !html.starts_with("\xFF\xFE");  // UTF-16
}

std::string line_for(Version version, bool has_base) {
  if (!has_base) {
    return "\n<script src=\"/.crunch/reload.js\" data-version=\"" + text_of(version) +
           "\"></script>\n";
  }
  return "\n<script>(function(s){s.src=location.origin+'/.crunch/reload.js';s.dataset.version='" +
         text_of(version) +
         "';document.currentScript.after(s)})(document.createElement('script'))</script>\n";
}

std::string events_of(Change change, Version version) {
  std::string body = "retry: 200\n";
  if (change != Change::none) {
    body += "event: change\ndata: {\"kind\":\"" + std::string(name_of(change)) +
            "\",\"version\":\"" + text_of(version) + "\"}\n\n";
  }
  CHECK(body.size() + 2 <= events_bytes);
  body += ':' + std::string(events_bytes - body.size() - 2, ' ') + '\n';  // a comment
  return body;
}

kv::HeadFields events_head() {
  return {.validators = {{"Cache-Control", "no-store"}},
          .type = {{"Content-Type", "text/event-stream"}},
          .middle = {{"X-Content-Type-Options", "nosniff"}},
          .length = {{"Content-Length", std::to_string(events_bytes)}},
          .fields = {}};
}

}  // namespace crunch::serve
