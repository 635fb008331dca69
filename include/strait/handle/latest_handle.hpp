#pragma once
// A NotifyingBuffer: the last message, in a segment of its own, and the one thread that tells the handlers of new ones.

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/cell_handle.hpp>
#include <strait/handle/handler.hpp>
#include <strait/handle/opened.hpp>
#include <strait/handle/workers.hpp>
#include <strait/layout/cell.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/segment/session.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::handle {

class LatestHandle {
 public:
  using Session = segment::Session;
  using Receiver = HandlerOf<std::span<const std::byte>>;

  LatestHandle(std::string_view name, std::size_t capacity, const OpenOptions& options)
      : opened_(open(name, capacity, options)),
        cell_(opened_, memory(opened_.session().segment(), capacity)),
        capacity_(capacity),
        lock_timeout_(options.lock_timeout),
        message_(capacity + layout::length_size) {}

  ~LatestHandle() {
    if (opened_.is_inherited()) workers_.forget();
    close();
  }

  const std::string& name() const noexcept { return opened_.name(); }
  std::size_t capacity() const noexcept { return capacity_; }

  void close() {
    opened_.close([this] { workers_.join(); });
  }

  void write(std::span<const std::byte> message) {
    const auto visit = opened_.enter();
    if (opened_.session().read_only()) throw Error(Errc::permission_denied, name(), "it was opened read_only");
    if (message.size() > capacity_) {
      throw Error(Errc::message_too_large, name(),
                  "the message has " + std::to_string(message.size()) + " bytes, the buffer holds " + std::to_string(capacity_) +
                      "; nothing was written");
    }
    cell_.change(lock_timeout_, [&] {
      // Length and bytes are written in one go, so they are put together first: this memory is used under the lock alone.
      const std::uint64_t length = message.size();
      std::memcpy(message_.data(), &length, sizeof length);
      if (!message.empty()) std::memcpy(message_.data() + layout::length_size, message.data(), message.size());
      return CellHandle::Write{{0, layout::length_size + message.size()}, message_.data()};
    });
  }

  std::uint64_t read(std::vector<std::byte>& out) const {
    const auto visit = opened_.enter();
    return copy_to(out);
  }

  std::uint64_t version() const {
    const auto visit = opened_.enter();
    return cell_.version();
  }

  Status wait_for_change(std::uint64_t since, Timeout timeout) const {
    const Gate::Visit visit(opened_.gate());
    if (opened_.gate().is_closing()) return Status::closed;
    return cell_.wait_for_change(since, timeout, Session::For::another_participant);
  }

  // All handlers are called by one thread, with what was written after they came.
  void add(const std::shared_ptr<Receiver>& handler) {
    const auto visit = opened_.enter();
    const std::lock_guard lock(mutex_);
    receivers_.push_back({handler, cell_.version()});
    if (is_calling_) return;
    workers_.start(opened_.gate(), [this] { calling(); });
    is_calling_ = true;
  }

  auto wait_source() const { return cell_.wait_source(); }

 private:
  // How long a cancelled handler's thread lives on at most.
  static constexpr std::chrono::milliseconds look_up{1000};

  struct Entry {
    std::shared_ptr<Receiver> handler;
    std::uint64_t seen;
  };

  static CellMemory memory(const segment::Segment& segment, std::size_t capacity) noexcept {
    return CellMemory::with_length(*reinterpret_cast<layout::CellBlock*>(segment.payload()), capacity);
  }

  static std::shared_ptr<Session> open(std::string_view name, std::size_t capacity, const OpenOptions& options) {
    if (capacity == 0) throw Error(Errc::invalid_argument, name, "the capacity is 0; at least 1 byte is needed");
    const segment::Expectation expected{{layout::Kind::latest, capacity, 1, 64, 0}, true, true};
    segment::Contents contents;
    contents.mend = [capacity](const segment::Segment& segment, layout::Seat dead) -> std::uint32_t {
      CellHandle::mend(segment, memory(segment, capacity), dead);
      return 0;
    };
    const auto intent = options.read_only ? segment::Intent::open : segment::Intent::open_or_create;
    return std::make_shared<Session>(name, intent, expected, RingOptions{options}, std::move(contents));
  }

  std::uint64_t copy_to(std::vector<std::byte>& out) const {
    return cell_.read([&](const std::byte* from) {
      out.resize(cell_.memory().in_use(from) - layout::length_size);
      platform::load_bytes(out.data(), from + layout::length_size, out.size());
    });
  }

  void calling() {
    std::vector<std::byte> message;
    auto seen = cell_.version();
    bool again = false;
    while (forget_cancelled()) {
      // A write that came while handlers ran has another version than they were called with: it is not waited for.
      if (!is_news(seen)) {
        const Status status = cell_.wait_for_change(seen, look_up, Session::For::anybody, again);
        if (status == Status::closed) return;
        again = status == Status::timed_out;
        if (again) continue;
      }
      std::uint64_t version = 0;
      try {
        version = copy_to(message);
      } catch (const Error&) {
        if (opened_.gate().is_closing()) return;
        continue;  // torn every time, for seconds: the next look may find it whole
      }
      for (const auto& handler : due(version)) handler->call(message);
      if (opened_.gate().is_closing()) return;
      seen = version;
    }
  }

  // False: none is left, and this thread ends.
  bool forget_cancelled() {
    const std::lock_guard lock(mutex_);
    std::erase_if(receivers_, [](const Entry& entry) { return entry.handler->is_cancelled(); });
    if (receivers_.empty()) is_calling_ = false;
    return is_calling_;
  }

  // Has somebody not been called with the version that was seen? So with the first look of this thread.
  bool is_news(std::uint64_t seen) {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : receivers_) {
      if (entry.seen < seen) return true;
    }
    return false;
  }

  // Whom to call with this version; from here on they have been.
  std::vector<std::shared_ptr<Receiver>> due(std::uint64_t version) {
    std::vector<std::shared_ptr<Receiver>> all;
    const std::lock_guard lock(mutex_);
    for (Entry& entry : receivers_) {
      if (entry.seen >= version) continue;
      entry.seen = version;
      all.push_back(entry.handler);
    }
    return all;
  }

  Opened opened_;
  CellHandle cell_;
  std::size_t capacity_;
  Timeout lock_timeout_;
  std::vector<std::byte> message_;
  std::mutex mutex_;
  std::vector<Entry> receivers_;
  bool is_calling_ = false;
  Workers workers_;
};

}  // namespace strait::handle
