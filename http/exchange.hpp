// SPDX-License-Identifier: ISC
// http/exchange.hpp: one request and its answer, whichever framing of HTTP carries them.
//
// States:  stat    the store is asked which value is meant: stat(key()), then take_stat
//          answer  the answer's head can be had: answer()
//          text    bytes of the body that are made here: write_text()
//          value   bytes of the value: get_partial(key(), encoding(), offset(), ...), then took
//          done    the whole answer was handed over
//
//          begin -> [stat ->] answer -> [text | value]... -> done
//          value_failed -> answer, while nothing of the first one has gone
// Owns:    nothing: the request, the buffer of the key and the options stand until it is done.
//          It allocates nothing, waits for nothing, and takes at most 1 KiB.
// Rules:   1. `answer_again` is allowed as long as nothing else was done since `answer`.
//          2. The order of what is decided: the framing's own errors (`refuse`), expectations and
//             methods, the target, a CA's challenge, the redirect to HTTPS, `choose` (a site's
//             rules belong there, before the lookup), the lookup, and `answer_absent` (and there,
//             when it found nothing).
// Used by: http/h1.   May include: std, kv/kv.hpp, http's pure parts.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/head_sink.hpp"
#include "http/lookup.hpp"
#include "http/options.hpp"
#include "http/request.hpp"
#include "http/respond.hpp"
#include "http/site/visit.hpp"
#include "http/target.hpp"

namespace http {

class Exchange {
 public:
  enum class Step : std::uint8_t { stat, answer, text, value, done };

  // `request` is complete. `key` has lookup_slack bytes more than its target.
  void begin(const Request& request, const Options& options, std::span<char> key) noexcept;
  // Of a site with rules. `visit` is the exchange's until leave_visit; null: there is no room.
  void begin(const Request& request, const Options& options, std::span<char> key,
             std::shared_ptr<const site::Rules> rules, site::Visit* visit) noexcept;
  // The answer is a page that says `why`; `request` as far as it was read.
  void refuse(const Request& request, const Options& options, Status why) noexcept;

  [[nodiscard]] Step step() const noexcept { return step_; }
  // The request was malformed: where messages are told apart by what is in them, nothing that
  // follows on its connection is to be trusted.
  [[nodiscard]] bool was_malformed() const noexcept { return was_malformed_; }
  [[nodiscard]] bool is_answered() const noexcept { return step_ > Step::answer; }

  [[nodiscard]] kv::Key key() const noexcept {
    return visit_ != nullptr ? visit_->route().key() : lookup_.key();
  }
  void take_stat(const kv::Result<kv::Stat>& stat) noexcept;

  void answer(std::int64_t now_s, HeadSink& head) noexcept;
  // The framing had no room for the head: it is asked for again.
  void answer_again() noexcept { step_ = Step::answer; }

  // The head was taken, and is not asked for again: the visit is needed no longer. `key` is the
  // buffer that `begin` had.
  void leave_visit(std::span<char> key) noexcept;

  // At most text_bytes_max.
  void write_text(Writer& out) noexcept;

  [[nodiscard]] kv::Encoding encoding() const noexcept { return answer_.encoding; }
  [[nodiscard]] std::uint64_t offset() const noexcept {
    return answer_.ranges[range_].offset + range_done_;
  }
  // Until text is due, or the end.
  [[nodiscard]] std::uint64_t bytes_left() const noexcept {
    return answer_.ranges[range_].size_bytes - range_done_;
  }
  // So many bytes of the value were handed over.
  void took(std::uint64_t bytes) noexcept;
  // The store has no such bytes any more. True: another answer can be had; false: the framing has
  // sent a part of this one, and is to break it off.
  [[nodiscard]] bool value_failed(kv::Error why, bool has_sent) noexcept;

  // Of what was answered.
  [[nodiscard]] Status status() const noexcept { return answer_.status; }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return answer_.body_bytes; }
  // Of the value, so far.
  [[nodiscard]] std::uint64_t value_bytes_taken() const noexcept;

 private:
  void start(const Request& request, const Options& options) noexcept;
  void give_answer(const Circumstances& now, HeadSink& head) noexcept;
  void answer_visit(const Circumstances& now, HeadSink& head) noexcept;
  [[nodiscard]] const kv::Stat& stat() const noexcept {
    return visit_ != nullptr ? visit_->route().stat() : lookup_.stat();
  }
  void choose(std::span<char> key) noexcept;
  [[nodiscard]] bool is_challenge() noexcept;
  void answer_lookup(const Circumstances& now, HeadSink& head) noexcept;
  void answer_absent(const Circumstances& now, HeadSink& head) noexcept;
  [[nodiscard]] Step first_of_body() const noexcept;

  const Request* request_ = nullptr;
  const Options* options_ = nullptr;
  site::Visit* visit_ = nullptr;
  std::shared_ptr<const site::Rules> rules_;      // until they are the visit's
  std::shared_ptr<const std::string> challenge_;  // the answer to a CA's
  Target target_;
  Lookup lookup_;
  Answer answer_;
  std::uint64_t range_done_ = 0;  // bytes of the range that were handed over
  std::uint8_t range_ = 0;        // the one to hand over next
  Step step_ = Step::done;
  bool was_malformed_ = false;
  std::uint16_t https_port_ = 0;   // where all is redirected to; 0: nothing is
  std::optional<Status> refusal_;  // the answer is a page of ours
};

static_assert(sizeof(Exchange) <= 1024);

}  // namespace http
