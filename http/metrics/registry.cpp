// SPDX-License-Identifier: ISC
#include "http/metrics/registry.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace http::metrics {

namespace {

using std::string_view;

constexpr std::uint64_t ns_per_s = 1'000'000'000;

constexpr Family requests{"crunch_http_requests_total",
                          "Requests that were answered, by version of HTTP and class of status."};
constexpr Family body_bytes{"crunch_http_response_body_bytes_total",
                            "Bytes of bodies of answers, as they went out."};
constexpr Family connections{"crunch_http_connections_total", "Connections that were admitted."};
constexpr Family evictions{"crunch_http_connections_evicted_total",
                           "Connections that were closed to make room for others."};
constexpr Family refusals{"crunch_http_connections_refused_total",
                          "Connections that were not served, by reason."};
constexpr string_view durations_name = "crunch_http_request_duration_seconds";
constexpr string_view durations_help =
    "Time from a request's first byte until its answer was put together.";

constexpr std::array<string_view, protocol_count> protocol_names{"1.0", "1.1", "2"};
constexpr std::array<string_view, Counters::class_count> class_names{"1xx", "2xx", "3xx", "4xx",
                                                                     "5xx"};
constexpr std::array<string_view, refusal_count> refusal_names{"busy", "dropped", "buffers",
                                                               "memory"};

// "label=\"value\""
std::string label(string_view name, string_view value) {
  return std::string(name).append("=\"").append(value).append("\"");
}

// With at most nine decimals, and no zeros at their end.
std::string number(std::uint64_t value, std::uint64_t units_per_one) {
  std::string text = std::to_string(value / units_per_one);
  std::uint64_t rest = value % units_per_one;
  if (rest == 0) return text;
  text += '.';
  for (std::uint64_t unit = units_per_one / 10; rest > 0; unit /= 10) {
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

std::string seconds(base::Duration duration) {
  return number(static_cast<std::uint64_t>(duration.count()), ns_per_s);
}

void write_head(std::string& out, string_view name, string_view help, string_view kind) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(kind).append("\n");
}

void write_sample(std::string& out, string_view name, string_view labels, string_view value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

}  // namespace

void Registry::add(const Family& family, std::string labels, std::function<std::uint64_t()> read) {
  const std::lock_guard lock(mutex_);
  auto named =
      std::ranges::find(families_, family.name, [](const Named& each) { return each.family.name; });
  if (named == families_.end()) named = families_.insert(named, {family, {}});
  auto sample = std::ranges::find(named->samples, labels, &Sample::labels);
  if (sample == named->samples.end()) {
    sample = named->samples.insert(sample, {std::move(labels), {}});
  }
  sample->reads.push_back(std::move(read));
}

Counters& Registry::add_counters() {
  Counters& counters = make<Counters>();
  for (std::size_t p = 0; p < protocol_count; ++p) {
    for (std::size_t c = 1; c < Counters::class_count; ++c) {  // nobody is sent 1xx
      add(requests, label("version", protocol_names[p]) + "," + label("code", class_names[c]),
          counters.requests[p][c]);
    }
  }
  add(body_bytes, "", counters.body_bytes);
  add(connections, "", counters.connections);
  add(evictions, "", counters.evictions);
  for (std::size_t i = 0; i < refusal_count; ++i) {
    add(refusals, label("reason", refusal_names[i]), counters.refusals[i]);
  }
  const std::lock_guard lock(mutex_);
  counters_.push_back(&counters);
  return counters;
}

void Registry::write_durations(std::string& out) const {
  if (counters_.empty()) return;
  write_head(out, durations_name, durations_help, "histogram");
  const std::string name(durations_name);
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
  for (std::size_t i = 0; i <= Counters::bounds.size(); ++i) {
    for (const Counters* each : counters_) count += each->durations[i].value();
    const bool is_last = i == Counters::bounds.size();
    write_sample(out, name + "_bucket",
                 label("le", is_last ? "+Inf" : seconds(Counters::bounds[i])),
                 std::to_string(count));
  }
  for (const Counters* each : counters_) sum_ns += each->duration_ns.value();
  write_sample(out, name + "_sum", "", number(sum_ns, ns_per_s));
  write_sample(out, name + "_count", "", std::to_string(count));
}

void Registry::write(std::string& out) const {
  const std::lock_guard lock(mutex_);
  for (const Named& named : families_) {
    const Family& family = named.family;
    write_head(out, family.name, family.help, family.kind == Kind::counter ? "counter" : "gauge");
    for (const Sample& sample : named.samples) {
      std::uint64_t sum = 0;
      for (const auto& read : sample.reads) sum += read();
      write_sample(out, family.name, sample.labels, number(sum, family.units_per_one));
    }
  }
  write_durations(out);
}

std::size_t Registry::text_bytes_max() const {
  constexpr std::size_t number_bytes_max = 20 + 1 + 9;
  std::string text;
  write(text);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  return text.size() + lines * number_bytes_max;
}

}  // namespace http::metrics
