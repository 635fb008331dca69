#pragma once
// A publisher without its types.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/broadcast_end.hpp>
#include <strait/handle/party.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::handle {

class PublisherHandle final : public Party, public std::enable_shared_from_this<PublisherHandle> {
 public:
  PublisherHandle(std::string_view name, const BroadcastEnd::Sizes& sizes, const OpenOptions& options) : Party(name, checked(name, sizes, options)) {
    topic().announce_ring();
    // DEATH here: an announced ring that may not be there; whoever mends this party's seat removes it.
    core::death_point("publisher: ring announced");
    end_ = std::make_shared<BroadcastEnd>(this->name(), topic(), sizes, options);
    // DEATH here: a ring that nobody was told of; whoever mends this party's seat removes it.
    core::death_point("publisher: ring made");
    topic().enter(Role::publisher);
    wait_for_those_there(options.open_timeout);
  }

  ~PublisherHandle() { close(); }

  void close() {
    Party::close([this] { end_->end(); }, [this] { end_.reset(); });
  }

  // `copy(to, size)` gives the next bytes of `size` in all.
  template <class Copy>
  STRAIT_HOT Status publish(Timeout timeout, std::uint64_t size, Copy copy) {
    const Gate::Visit visit(gate());
    if (is_closing()) [[unlikely]] return Status::closed;
    BroadcastEnd& end = *end_;
    if (size > end.longest()) [[unlikely]] throw_too_large(size);
    return end.publish(gate(), timeout, size, copy);
  }

  // The lender, null where there is no node.
  Status loan(Timeout timeout, std::shared_ptr<Lender>& lender, std::uint64_t& ticket) {
    const Gate::Visit visit(gate());
    if (is_closing()) return Status::closed;
    const Status status = end_->loan(gate(), timeout, ticket);
    if (status == Status::ok) lender = end_;
    return status;
  }

  std::size_t active_connections() {
    const auto visit = enter();
    return end_->connections().size();
  }

  Status wait_for_subscribers(std::size_t count, Timeout timeout) {
    const Gate::Visit visit(gate());
    if (is_closing()) return Status::closed;
    return end_->wait_for_connections(gate(), timeout, [&] { return end_->connections().size() >= count; });
  }

  void add(ConnectionEvents::Of of, std::shared_ptr<ConnectionHandler> handler) {
    const auto visit = enter();
    add_event(of, std::move(handler), end_->connections(), shared_from_this(), [this, end = end_] { tell(*end); });
    end_->session().wake(SignalName::readers);
  }

 private:
  static const OpenOptions& checked(std::string_view name, const BroadcastEnd::Sizes& sizes, const OpenOptions& options) {
    if (options.read_only) throw Error(Errc::invalid_argument, name, "read_only is for subscribers; a publisher writes");
    if (sizes.history > sizes.node_count) {
      throw Error(Errc::invalid_argument, name,
                  "history is " + std::to_string(sizes.history) + " messages, and there are " + std::to_string(sizes.node_count) + " nodes to keep them in");
    }
    return options;
  }

  // Whoever subscribed before gets the first message too: they connect by themselves, in a moment.
  void wait_for_those_there(Timeout timeout) {
    static_cast<void>(end_->wait_for_connections(gate(), timeout, [this] {
      const auto connected = end_->connections();
      const auto there = topic().subscribers();
      return std::all_of(there.begin(), there.end(), [&](const Member& member) {
        return std::any_of(connected.begin(), connected.end(), [&](const Participant& one) { return one.id == member.id; });
      });
    }));
  }

  void tell(BroadcastEnd& end) {
    while (!is_closing() && events().tell(end.connections(), [this] { return is_closing(); })) {
      static_cast<void>(end.wait_for_connections(gate(), look_up, [&] { return events().is_news(end.connections()); }));
    }
  }

  [[noreturn]] STRAIT_COLD void throw_too_large(std::uint64_t size) const {
    throw Error(Errc::message_too_large, name(),
                "a message of " + std::to_string(size) + " bytes; at most half of the ring's, " + std::to_string(end_->longest()) +
                    ", are possible: choose more or larger nodes (TopicOptions)");
  }

  std::shared_ptr<BroadcastEnd> end_;
};

}  // namespace strait::handle
