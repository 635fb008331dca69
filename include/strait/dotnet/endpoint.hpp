#pragma once
// One endpoint of a channel of the C# library. Its threads, and who of them receives, are those of Strait's own RpcBuffer
// (rpc/crew.hpp, rpc/attendance.hpp): whoever waits in a call receives for everybody, a quick handler runs on the thread that received
// its request, and somebody always steps in while user code runs. What differs is the channel:
//
//   - the rings, the packets and the ids (dotnet/channel.hpp, dotnet/packet.hpp); a message is written whole by one thread;
//   - two auto-reset events to sleep on: whoever stops looking at the ring and leaves messages there passes the wake-up on;
//   - of the other side the format tells nothing but that the master has closed. There is no cancelling, no epoch, no flow control: a
//     request that was given up is served all the same, an answer that comes too late is thrown away, and requests that wait for
//     a thread are kept, however many.

#include <strait/core/error.hpp>
#include <strait/core/error_hook.hpp>
#include <strait/core/timeout.hpp>
#include <strait/dotnet/calls.hpp>
#include <strait/dotnet/channel.hpp>
#include <strait/dotnet/packet.hpp>
#include <strait/dotnet/waiting.hpp>
#include <strait/handle/gate.hpp>
#include <strait/platform/park.hpp>
#include <strait/platform/processor.hpp>
#include <strait/rpc/attendance.hpp>
#include <strait/rpc/call.hpp>
#include <strait/rpc/crew.hpp>
#include <strait/rpc/handler.hpp>
#include <strait/rpc/options.hpp>
#include <strait/rpc/response.hpp>
#include <strait/rpc/slot.hpp>
#include <strait/rpc/statistics.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace strait::dotnet {

class Endpoint final : public rpc::Crew, public std::enable_shared_from_this<Endpoint> {
 public:
  using Clock = core::Clock;

  Endpoint(std::string_view name, rpc::Handler handler, const RpcOptions& options)
      : Crew(options.handler_threads),
        handler_(std::move(handler)),
        name_(name),
        wait_(options.wait),
        spin_(platform::single_processor() ? std::chrono::nanoseconds(0) : options.wait.spin),
        channel_(std::make_unique<Channel>(name, options)),
        is_master_(channel_->is_master()),
        slice_size_(channel_->slice_size()) {}

  ~Endpoint() override = default;

  // After construction, when there is a shared pointer to keep.
  void start() { add_first_worker(); }

  const std::string& name() const noexcept { return name_; }
  bool is_master() const noexcept { return is_master_; }

  // ---- calls -----------------------------------------------------------------------------------------------------------

  RpcResponse request(std::span<const std::byte> args, Timeout timeout, const std::stop_token& stop) {
    const auto packets = count_packets(args.size(), "a message of ");
    const handle::Gate::Visit visit(gate_);
    if (is_over()) return ended(RpcOutcome::closed);
    if (timeout.is_no_wait()) return send_and_forget(args, packets);
    const rpc::SlotPause pause;

    const core::Deadline deadline(timeout);
    rpc::Call call;
    if (!calls_.add(call, next_id())) return ended(RpcOutcome::closed);
    std::optional<std::stop_callback<Canceller>> on_stop;
    if (stop.stop_possible()) on_stop.emplace(stop, Canceller{this, &call});

    Outgoing message(PacketType::request, call.id, 0, args, packets);
    if (send(message, deadline, [&] { return call.is_done(); })) {
      const auto start = Clock::now();
      wait(call, deadline);
      counters_.calls.max_wait.raise((Clock::now() - start).count());
    }
    if (!call.is_done()) give_up(call);
    on_stop.reset();
    count(call.response.outcome, timeout);
    return std::move(call.response);
  }

  // One of `promise` and `callback` of the call is to be used.
  void request_async(std::shared_ptr<rpc::AsyncCall> call, std::span<const std::byte> args, const std::stop_token& stop) {
    const auto packets = count_packets(args.size(), "a message of ");
    const handle::Gate::Visit visit(gate_);
    if (call->timeout.is_no_wait() || is_over()) {
      call->response = is_over() ? ended(RpcOutcome::closed) : send_and_forget(args, packets);
      return deliver(*call);
    }
    call->self = call;
    if (!calls_.add(*call, next_id())) {
      call->self.reset();
      call->response = ended(RpcOutcome::closed);
      return deliver(*call);
    }
    if (stop.stop_possible()) call->on_stop.emplace(stop, std::function<void()>(Canceller{this, call.get()}));
    if (!send_at_once(PacketType::request, call->id, 0, args, packets)) post(PacketType::request, call->id, 0, args, call);
    keep_time_of(call->deadline.at());
  }

  // ---- statistics ------------------------------------------------------------------------------------------------------

  RpcStatistics statistics() {
    RpcStatistics snapshot = counters_.snapshot();
    snapshot.protocol_overhead_per_packet = sizeof(PacketHeader);
    snapshot.in_flight = calls_.size();
    snapshot.queue_depth = work().requests_waiting();
    return snapshot;
  }

  void reset_statistics() {
    const std::lock_guard lock(reading_);
    counters_.reset();
  }

  // ---- the end ---------------------------------------------------------------------------------------------------------

  // From any thread, user code called by this endpoint included.
  void close() {
    if (!gate_.shut() || channel_->is_inherited()) return;
    channel_->leave();
    end_all("this side was closed", true);
    stopping_.request_stop();
    wake_all_workers();
  }

  // Not from user code called by this endpoint. Returns when no thread is inside and the channel is let go.
  void finish() {
    const std::lock_guard lock(finish_);
    if (!channel_) return;
    if (channel_->is_inherited()) {  // a forked child: neither threads nor mappings are there
      abandon();
      static_cast<void>(channel_.release());
      return;
    }
    // An event lets one sleeper go, perhaps the other side's: until ours have left.
    while (!gate_.is_empty()) {
      channel_->wake();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    channel_->wake();
    join_workers();
    channel_.reset();
  }

  // From user code called by this endpoint, when nobody will call finish(): the threads keep what they need.
  void abandon() { detach_workers(); }

  bool is_called_from_user_code() const noexcept { return is_worker_of(this); }

 private:
  using At = rpc::At;

  struct Canceller {
    Endpoint* endpoint;
    rpc::Call* call;
    void operator()() const {
      if (endpoint->calls_.take(*call)) endpoint->end(*call, RpcOutcome::cancelled, "cancelled by its stop token");
    }
  };

  static RpcResponse ended(RpcOutcome outcome) { return {outcome, {}, core::name_of(outcome)}; }

  std::uint64_t next_id() noexcept { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }  // relaxed: a number

  bool is_over() const noexcept { return gate_.is_closing() || channel_->is_shut_down() || is_broken(); }

  // A ring's cursors are no indices: somebody wrote where it should not. Nothing can come or go any more.
  bool is_broken() const noexcept { return is_broken_.load(std::memory_order_relaxed); }  // relaxed: whoever meets it finds out too
  void found_broken() noexcept { is_broken_.store(true, std::memory_order_relaxed); }      // relaxed: as above

  const char* why_over() const noexcept {
    if (gate_.is_closing()) return "this side was closed";
    return is_broken() ? "a ring of the channel is broken: somebody wrote where it should not" : "the other side was closed";
  }

  std::uint16_t count_packets(std::size_t size, const char* what) const {
    const auto packets = packets_of(size, slice_size_);
    if (!packets) {
      throw Error(Errc::message_too_large, name_,
                  what + std::to_string(size) + " bytes; the format allows 65535 packets, here of " + std::to_string(slice_size_) + " bytes each, and less than 2 GiB");
    }
    return *packets;
  }

  // ---- out: a message is written whole by whoever holds `writing_` ---------------------------------------------------------

  // False: `give_up()` said so, the time is over, or this endpoint is. (What was begun and not ended the other side throws away.)
  template <class GiveUp>
  bool send(Outgoing& message, const core::Deadline& deadline, GiveUp give_up) {
    try {
      return send_packets(message, deadline, give_up);
    } catch (const Error&) {
      found_broken();
      return false;
    }
  }

  template <class GiveUp>
  bool send_packets(Outgoing& message, const core::Deadline& deadline, GiveUp give_up) {
    std::unique_lock lock(writing_, std::try_to_lock);
    while (!lock.owns_lock()) {
      call_for_relief();  // whoever has it may be waiting for room
      const auto now = Clock::now();
      if (give_up() || is_over() || deadline.passed(now)) return false;
      if (lock.try_lock_for(deadline.left(now, longest_sleep))) break;
    }
    while (!message.is_sent()) {
      if (try_packet(message)) continue;
      // Nobody reads the other ring through us while we wait here.
      call_for_relief();
      const auto start = Clock::now();
      const auto verdict = [&]() -> std::optional<Status> {
        if (give_up() || is_over()) return Status::closed;
        return std::nullopt;
      };
      Index node = 0;
      const Status status = channel_->out().reserve_for_writing(deadline.left(), verdict, node);
      counters_.writing.max_wait.raise((Clock::now() - start).count());
      if (status != Status::ok) return false;
      write(message, node);
    }
    return true;
  }

  // All of it or nothing, without waiting.
  bool send_at_once(PacketType type, std::uint64_t id, std::uint64_t response_id, std::span<const std::byte> payload, std::uint16_t packets) {
    if (packets != 1 || posted_.load(std::memory_order_relaxed) != 0) return false;  // relaxed: those that wait came before, more or less
    const std::unique_lock lock(writing_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    Outgoing message(type, id, response_id, payload, packets);
    try {
      return try_packet(message);
    } catch (const Error&) {
      found_broken();
      return false;
    }
  }

  // As fire and forget of the C# library, which sends it if there is room for its packets.
  RpcResponse send_and_forget(std::span<const std::byte> args, std::uint16_t packets) {
    const std::unique_lock lock(writing_, std::try_to_lock);
    try {
      if (lock.owns_lock() && has_room_for(packets)) {
        Outgoing message(PacketType::request, next_id(), 0, args, packets);
        while (!message.is_sent() && try_packet(message)) {
        }
      }
    } catch (const Error&) {
      found_broken();
      return ended(RpcOutcome::closed);
    }
    return ended(RpcOutcome::timed_out);
  }

  bool has_room_for(std::uint16_t packets) {
    const SharedRing& nodes = channel_->out().nodes();
    // SYNC dotnet-ring: only readers change what is found, and only for the better.
    const Index used = nodes.checked(nodes.write_start().load(std::memory_order_seq_cst)) - nodes.checked(nodes.read_end().load(std::memory_order_seq_cst));
    const Index free = nodes.count() - 1 - (used < 0 ? used + nodes.count() : used);
    return free >= packets;
  }

  bool try_packet(Outgoing& message) {
    const auto node = channel_->out().try_reserve_for_writing();
    if (!node) return false;
    write(message, *node);
    return true;
  }

  void write(Outgoing& message, Index node) {
    const SharedRing& nodes = channel_->out().nodes();
    const std::size_t length = message.write({nodes.data(node), nodes.node_buffer_size()});
    // Before it goes out: whoever has an answer finds it counted.
    count(message, static_cast<std::int64_t>(length - sizeof(PacketHeader)));
    channel_->out().post(node, length);
  }

  void count(const Outgoing& message, std::int64_t slice) noexcept {
    auto& counters = counters_.writing;
    counters.packets.add();
    counters.bytes.add(static_cast<std::uint64_t>(slice));
    counters.last_packet.set(slice);
    counters.max_packet.raise(slice);
    if (!message.is_sent()) return;
    counters.last_message.set(message.header.payload_size);
    counters.max_wait.raise(0);
    switch (static_cast<PacketType>(message.header.type)) {
      case PacketType::request: return counters.requests.add();
      case PacketType::response: return counters.responses.add();
      case PacketType::error: return counters.errors.add();
    }
  }

  // ---- out, later: by a worker ------------------------------------------------------------------------------------------------

  struct Posted {
    PacketType type;
    std::uint64_t id;
    std::uint64_t response_id;
    std::vector<std::byte> payload;
    std::shared_ptr<rpc::AsyncCall> call;  // whose request it is
  };

  void post(PacketType type, std::uint64_t id, std::uint64_t response_id, std::span<const std::byte> payload, std::shared_ptr<rpc::AsyncCall> call) {
    const std::lock_guard lock(posting_);
    outbox_.push_back({type, id, response_id, {payload.begin(), payload.end()}, std::move(call)});
    posted_.store(outbox_.size(), std::memory_order_relaxed);  // relaxed: under the lock, or a hint
    if (!std::exchange(is_emptying_, true)) queue_task([this] { empty_outbox(); });
  }

  void empty_outbox() {
    for (;;) {
      Posted next;
      {
        const std::lock_guard lock(posting_);
        posted_.store(outbox_.size(), std::memory_order_relaxed);  // relaxed: as above
        if (outbox_.empty()) {
          is_emptying_ = false;
          return;
        }
        next = std::move(outbox_.front());
        outbox_.pop_front();
      }
      if (is_over()) continue;
      Outgoing message(next.type, next.id, next.response_id, next.payload, *packets_of(next.payload.size(), slice_size_));
      if (next.call == nullptr) {
        send(message, core::Deadline(answer_patience), [] { return false; });
      } else if (!send(message, next.call->deadline, [&] { return next.call->is_done(); }) && calls_.take(*next.call)) {
        end_in_time(*next.call);
      }
    }
  }

  // ---- in: by whoever holds `reading_`, tried and never waited for -----------------------------------------------------------

  // True: something was there. `me`: a worker that may keep a request to serve it itself.
  bool poll(rpc::Worker* me) {
    if (!has_packet()) return false;
    const std::unique_lock lock(reading_, std::try_to_lock);
    if (!lock.owns_lock() || gate_.is_closing()) return false;
    bool queued_some = false;
    bool found_some = false;
    constexpr int most_at_once = 64;
    for (int i = 0; i < most_at_once && receive(me, queued_some); ++i) {
      found_some = true;
      if (me != nullptr && me->has_mine) break;
    }
    if (queued_some) call_worker();
    return found_some;
  }

  bool has_packet() noexcept {
    try {
      return !channel_->in().seems_empty();
    } catch (const Error&) {
      found_broken();
      return false;
    }
  }

  bool receive(rpc::Worker* me, bool& queued_some) {
    RingEnd& in = channel_->in();
    RingEnd::Found found{};
    try {
      found = in.try_reserve_for_reading([](std::size_t) { return true; });
    } catch (const Error&) {
      found_broken();
    }
    if (found.what != RingEnd::Found::What::reserved) return false;
    rpc::Call* done = nullptr;
    try {
      const auto node = in.message(found.node);
      try {
        if (const auto packet = parse(node, slice_size_)) {
          done = accept(*packet, me, queued_some);
        } else {
          counters_.reading.broken.add_alone();
        }
      } catch (const std::bad_alloc&) {
        incoming_.forget();
        counters_.reading.broken.add_alone();
      }
      in.give_back(found.node);
    } catch (const Error&) {
      counters_.reading.broken.add_alone();  // its length could not be; it was given back
    }
    if (done != nullptr) mark_done(*done);
    return true;
  }

  // What it returns is to be marked as done.
  rpc::Call* accept(const Packet& packet, rpc::Worker* me, bool& queued_some) {
    auto& counters = counters_.reading;
    const auto slice = static_cast<std::int64_t>(packet.slice.size());
    counters.packets.add_alone();
    counters.bytes.add_alone(packet.slice.size());
    counters.last_packet.set(slice);
    if (slice > counters.max_packet.get()) counters.max_packet.set(slice);

    if (incoming_.interrupts(packet)) lose(incoming_.begun());
    if (packet.is_first() && packet.is_last()) return take(packet.header, packet.slice, me, queued_some);
    switch (incoming_.add(packet)) {
      case Reassembly::Added::more_to_come: return nullptr;
      case Reassembly::Added::lost:
        // Its first packets were dropped; the last one is as good a moment as any to say so.
        if (packet.is_last()) lose(packet.header);
        return nullptr;
      case Reassembly::Added::complete: return take(packet.header, incoming_.view(), me, queued_some);
    }
    return nullptr;
  }

  // A message of which packets are missing: C# has dropped them. Told once, however many of its packets still come.
  void lose(const PacketHeader& header) {
    incoming_.forget();
    if (is_same_message(header, last_lost_)) return;
    last_lost_ = header;
    counters_.reading.broken.add_alone();
    if (header.type == static_cast<std::uint8_t>(PacketType::request)) {
      answer(PacketType::error, header.message_id);
    } else if (rpc::Call* const call = calls_.take(header.response_id)) {
      end(*call, RpcOutcome::handler_failed, "packets of the answer were lost: the other side found no room for them in time");
    }
  }

  rpc::Call* take(const PacketHeader& header, std::span<const std::byte> payload, rpc::Worker* me, bool& queued_some) {
    counters_.reading.last_message.set(header.payload_size);
    if (header.type != static_cast<std::uint8_t>(PacketType::request)) return take_answer(header, payload);
    counters_.reading.requests.add_alone();
    if (!handler_) {
      answer(PacketType::error, header.message_id);
      return nullptr;
    }
    if (me != nullptr && work().try_keep()) {
      fill(me->mine, header, payload);
      me->has_mine = true;
      return nullptr;
    }
    rpc::Request request;
    fill(request, header, payload);
    work().add(std::move(request), [](bool) {});
    queued_some = true;
    return nullptr;
  }

  static void fill(rpc::Request& request, const PacketHeader& header, std::span<const std::byte> payload) {
    request.id = header.message_id;
    request.payload.start(payload.size());
    request.payload.append(payload);
  }

  rpc::Call* take_answer(const PacketHeader& header, std::span<const std::byte> payload) {
    const bool is_error = header.type == static_cast<std::uint8_t>(PacketType::error);
    rpc::Call* const call = calls_.take(header.response_id);
    if (call == nullptr) {
      counters_.reading.discarded.add_alone();
      counters_.reading.last_discarded.set(header.response_id);
      return nullptr;
    }
    (is_error ? counters_.reading.errors : counters_.reading.responses).add_alone();
    RpcResponse& response = call->response;
    try {
      if (is_error) {
        response.outcome = RpcOutcome::handler_failed;
        response.error = "the other side's handler failed, or it has none; the format carries no reason";
      } else {
        response.outcome = RpcOutcome::ok;
        response.data.assign(payload.begin(), payload.end());
      }
    } catch (const std::bad_alloc&) {
      response = {RpcOutcome::handler_failed, {}, "out of memory"};
    }
    return call;
  }

  // Without a payload, never waiting here.
  void answer(PacketType type, std::uint64_t request) {
    const auto id = next_id();
    if (!send_at_once(type, id, request, {}, 1)) post(type, id, request, {}, nullptr);
  }

  // ---- how calls end: only for whoever has taken them ---------------------------------------------------------------------------

  void end(rpc::Call& call, RpcOutcome outcome, const char* why) {
    call.response = {outcome, {}, why};
    mark_done(call);
  }

  void end_in_time(rpc::Call& call) {
    if (is_over()) return end(call, RpcOutcome::closed, why_over());
    end(call, RpcOutcome::timed_out, "no reply within the time that the call had");
  }

  // Done when this returns, if by another thread.
  void give_up(rpc::Call& call) {
    if (calls_.take(call)) return end_in_time(call);
    while (!call.is_done()) std::this_thread::yield();
  }

  void mark_done(rpc::Call& call) {
    rpc::AsyncCall* const async = call.async;
    const auto alive = async != nullptr ? std::move(async->self) : nullptr;
    auto& word = call.word.word();
    switch (call.word.finish()) {
      case At::asleep: park_.wake_all(word, static_cast<std::uint32_t>(At::asleep)); break;
      case At::on_ring: channel_->in().data_exists().set(); break;
      default: break;
    }
    if (async == nullptr) return;
    count(async->response.outcome, async->timeout);
    deliver(*async);
  }

  void deliver(rpc::AsyncCall& call) {
    if (!call.callback) return call.promise.set_value(std::move(call.response));
    queue_callback([callback = std::move(call.callback), response = std::make_shared<RpcResponse>(std::move(call.response))] { callback(std::move(*response)); });
  }

  void end_all(const char* why, bool for_good) {
    for (rpc::Call* const call : calls_.take_all(for_good)) end(*call, RpcOutcome::closed, why);
  }

  void count(RpcOutcome outcome, Timeout timeout) noexcept {
    auto& calls = counters_.calls;
    if (outcome == RpcOutcome::timed_out) {
      calls.timeouts.add();
      calls.last_timeout.set(timeout.length().count());
    } else if (outcome == RpcOutcome::cancelled) {
      calls.cancelled.add();
    }
  }

  // ---- waiting ------------------------------------------------------------------------------------------------------------------

  void wait(rpc::Call& call, const core::Deadline& deadline) {
    auto& attendance = this->attendance();
    attendance.begin();
    auto spin_end = (Clock::time_point::min)();
    const auto finished = [&] { return call.is_done(); };
    bool slept = false;
    for (;;) {
      for (int tries = 0; tries < looks && !finished(); ++tries) {
        if (!poll(nullptr)) platform::pause();
      }
      if (finished()) break;
      if (attendance.count() > 1) std::this_thread::yield();
      const auto now = Clock::now();
      if (deadline.passed(now)) break;
      if (spin_end == (Clock::time_point::min)()) spin_end = core::later(now, spin_);
      if (now < spin_end || !wait_.park) continue;
      slept = true;
      const bool woken = attendance.sleep(*this, call, rpc::SleepUntil{finished, deadline.left(now, longest_sleep)});
      if (woken) spin_end = core::later(Clock::now(), spin_);
      notice_the_end();
    }
    // The set that woke us may have been for others too.
    if (slept) pass_on();
    attendance.leave(*this, false);
  }

  void attend(rpc::Worker& me) override {
    auto& attendance = this->attendance();
    if (!attendance.begin_alone()) return;
    const auto finished = [&] { return me.has_mine || work().has_some() || gate_.is_closing() || attendance.count() > 1; };
    auto spin_end = core::later(Clock::now(), spin_);
    while (!finished()) {
      bool found = false;
      for (int tries = 0; tries < looks && !finished(); ++tries) {
        if (poll(&me)) {
          found = true;
        } else {
          platform::pause();
        }
      }
      if (finished()) break;
      const auto now = Clock::now();
      if (found) spin_end = core::later(now, spin_);
      if (now < spin_end || !wait_.park) continue;
      const auto next = keep_time();
      std::chrono::nanoseconds length = longest_sleep;
      if (next != (Clock::time_point::max)()) length = std::clamp<std::chrono::nanoseconds>(next - now, std::chrono::microseconds(1), length);
      if (sleep_on_ring(rpc::SleepUntil{finished, length})) spin_end = core::later(Clock::now(), spin_);
      notice_the_end();
    }
    pass_on();
    attendance.end_alone();
  }

  // What is left in the ring wakes the next sleeper.
  void pass_on() {
    if (has_packet()) channel_->in().data_exists().set();
  }

  // The master tells by a word in its mapping.
  void notice_the_end() {
    if (!gate_.is_closing() && is_over() && !has_packet()) end_all(why_over(), false);
  }

  // Somebody is to read the ring while this thread waits for something else.
  void call_for_relief() {
    if (attendance().count() == 0 && !attendance().has_worker()) attendance().call_relief(*this, true);
  }

  // ---- for the attendance ---------------------------------------------------------------------------------------------------------

  friend class rpc::Attendance<std::atomic<std::uint32_t>>;

  template <class Finished>
  bool sleep_on_ring(rpc::SleepUntil<Finished> until) {
    if (until.finished() || has_packet()) return true;
    return channel_->in().data_exists().wait(until.length) == Status::ok;
  }
  template <class Finished>
  bool sleep_on(rpc::Call& call, rpc::SleepUntil<Finished> until) {
    return park_.sleep(call.word.word(), static_cast<std::uint32_t>(At::asleep), until.length);
  }
  bool wake_follower() {
    return calls_.wake_sleeper([this](std::atomic<std::uint32_t>& word) { park_.wake_all(word, static_cast<std::uint32_t>(At::asleep)); });
  }

  // ---- for the crew ---------------------------------------------------------------------------------------------------------------

  void serve(rpc::Request& request) override {
    if (is_over()) return;
    const rpc::SlotScope slot(*this);
    const auto send_result = [&](std::span<const std::byte> bytes) {
      Outgoing message(PacketType::response, next_id(), request.id, bytes, count_packets(bytes.size(), "the handler returned "));
      send_answer(message);
    };
    try {
      handler_(request.id, request.payload.view(), stopping_.get_token(), rpc::ReplyTo(send_result));
    } catch (...) {
      // The format carries no text: it is told here.
      core::ErrorHook::instance().report(std::current_exception(), "dotnet::RpcBuffer handler");
      Outgoing message(PacketType::error, next_id(), request.id, {}, 1);
      send_answer(message);
    }
    if (request.payload.capacity() > rpc::Work::greatest_spare) request.payload = {};
  }

  // Nobody knows whether the other side lives: an answer for which it makes no room for so long is given up.
  void send_answer(Outgoing& message) {
    if (send(message, core::Deadline(answer_patience), [] { return false; }) || is_over()) return;
    core::ErrorHook::instance().report(std::make_exception_ptr(Error(Errc::timed_out, name_, "the other side made no room for an answer; it was given up")),
                                       "dotnet::RpcBuffer answer");
  }

  Clock::time_point keep_time() override {
    const auto next = Clock::time_point(Clock::duration(next_time_.load(std::memory_order_seq_cst)));  // SYNC dotnet-time
    if (next == (Clock::time_point::max)() || gate_.is_closing()) return (Clock::time_point::max)();
    const auto now = Clock::now();
    if (now < next) return next;
    next_time_.store((Clock::time_point::max)().time_since_epoch().count(), std::memory_order_seq_cst);  // SYNC dotnet-time: before the walk
    auto earliest = (Clock::time_point::max)();
    for (const auto& call : calls_.overdue(now, earliest)) {
      if (calls_.take(*call)) end_in_time(*call);
    }
    note_time(earliest);
    return Clock::time_point(Clock::duration(next_time_.load(std::memory_order_seq_cst)));  // SYNC dotnet-time
  }

  void keep_time_of(Clock::time_point at) {
    if (note_time(at)) call_worker();
  }

  // True: it is earlier than all others.
  bool note_time(Clock::time_point at) noexcept {
    const auto ticks = at.time_since_epoch().count();
    auto next = next_time_.load(std::memory_order_relaxed);  // relaxed: the CAS decides
    do {
      if (ticks >= next) return false;
      // SYNC dotnet-time: before the call of a worker
    } while (!next_time_.compare_exchange_weak(next, ticks, std::memory_order_seq_cst, std::memory_order_relaxed));
    return true;
  }

  std::uint64_t progress() const noexcept override { return counters_.reading.packets.get(); }
  void wake_attender() noexcept override { channel_->in().data_exists().set(); }
  void tell_full(bool) noexcept override {}  // the format has no way
  bool is_closing() const noexcept override { return gate_.is_closing(); }
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }

  static constexpr int looks = 96;  // between two looks at the clock
  static constexpr Timeout answer_patience{std::chrono::seconds(30)};

  const rpc::Handler handler_;
  const std::string name_;
  const WaitPolicy wait_;
  const std::chrono::nanoseconds spin_;
  const platform::Park park_ = platform::Park::of_this_process();  // for words of calls
  handle::Gate gate_;
  std::unique_ptr<Channel> channel_;  // until nobody is inside the gate
  const bool is_master_;
  const std::size_t slice_size_;
  rpc::Counters counters_;
  Calls calls_;
  std::stop_source stopping_;
  std::atomic<bool> is_broken_{false};
  std::atomic<std::uint64_t> last_id_{0};
  std::atomic<Clock::rep> next_time_{(Clock::time_point::max)().time_since_epoch().count()};

  std::timed_mutex writing_;
  std::mutex reading_;
  Reassembly incoming_;  // under `reading_`, as the next one
  PacketHeader last_lost_{};

  std::mutex posting_;
  std::deque<Posted> outbox_;
  bool is_emptying_ = false;
  std::atomic<std::size_t> posted_{0};
  std::mutex finish_;
};

}  // namespace strait::dotnet
