#pragma once
// Messages that nobody could send at once and nobody waits for: a worker sends them, in order, one worker at a time.

#include <strait/rpc/call.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace strait::rpc {

// A message has a `rest`: the bytes of it that are still to be sent.
template <class Message>
class Outbox {
 public:
  struct Item {
    Message message;                  // its `rest` lies in `bytes`
    std::vector<std::byte> bytes;
    std::shared_ptr<AsyncCall> call;  // of a request
  };

  // `empty`: has a worker take the items, when there are some again.
  explicit Outbox(std::function<void()> empty) : empty_(std::move(empty)) {}

  void add(const Message& message, std::shared_ptr<AsyncCall> call) {
    Item item{message, {message.rest.begin(), message.rest.end()}, std::move(call)};
    item.message.rest = item.bytes;  // a vector's bytes stay where they are when it is moved
    {
      const std::lock_guard lock(mutex_);
      // A peer that asks and asks and never reads an answer: its notes are dropped, and its calls end by their own time.
      if (item.call == nullptr && items_.size() >= most_notes) return;
      items_.push_back(std::move(item));
      if (std::exchange(being_emptied_, true)) return;
    }
    empty_();
  }

  // For the one who empties it. Nothing: it has been emptied.
  std::optional<Item> next() {
    const std::lock_guard lock(mutex_);
    being_emptied_ = !items_.empty();
    if (items_.empty()) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  bool is_empty() {
    const std::lock_guard lock(mutex_);
    return !being_emptied_;
  }

 private:
  static constexpr std::size_t most_notes = 65'536;

  const std::function<void()> empty_;
  std::mutex mutex_;
  std::deque<Item> items_;
  bool being_emptied_ = false;
};

}  // namespace strait::rpc
