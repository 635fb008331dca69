#pragma once
// A SharedStruct without its type: the object of its bytes, its control segment, and the threads that watch it.

#include <strait/core/config.hpp>
#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/handle/cell_handle.hpp>
#include <strait/handle/handler.hpp>
#include <strait/handle/opened.hpp>
#include <strait/handle/workers.hpp>
#include <strait/layout/cell.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/platform/shared_memory.hpp>
#include <strait/segment/raw_object.hpp>
#include <strait/segment/session.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace strait::handle {

class StructHandle {
 public:
  using Session = segment::Session;

  struct Type {
    std::size_t size;
    std::uint64_t fingerprint;
  };

  // `initial`: the first value, where it may be created.
  StructHandle(std::string_view name, segment::Intent intent, Type type, const void* initial, const OpenOptions& options)
      : raw_(std::make_shared<segment::RawObject>()),
        opened_(open(std::string(name), intent, type, initial, options, raw_)),
        cell_(opened_, CellMemory(block(opened_.session().segment()), raw_->data(), type.size)),
        read_only_(options.read_only),
        lock_timeout_(options.lock_timeout) {}

  ~StructHandle() {
    if (opened_.is_inherited()) workers_.forget();
    close();
  }

  const std::string& name() const noexcept { return opened_.name(); }

  bool is_owner() const {
    const Gate::Visit visit(opened_.gate());
    return !opened_.gate().is_closing() && !read_only_ && opened_.session().is_owner();
  }

  void close() {
    opened_.close([this] {
      workers_.join();
      raw_.reset();  // before the session, which is its life
    });
  }

  const std::byte* raw() const {
    return opened_.gate().glance(opened_.name(), [this] { return raw_->data(); });
  }

  // Calls copy(value): a place where the whole value lies, until what it copied is whole; the version. Throws as
  // CellHandle::read; the copy throws nothing.
  template <class Copy>
  STRAIT_HOT std::uint64_t read(Copy copy) const {
    return opened_.gate().glance(opened_.name(), [this, copy] { return cell_.read(copy); });
  }

  // `prepare(value)` gives the bytes to write; nothing has changed if it throws.
  template <class Prepare>
  void change(Prepare prepare) {
    const auto visit = opened_.enter();
    if (read_only_) throw Error(Errc::permission_denied, name(), "it was opened read_only");
    cell_.change(lock_timeout_, [&] { return prepare(static_cast<const std::byte*>(raw_->data())); });
  }

  std::uint64_t version() const {
    return opened_.gate().glance(opened_.name(), [this] { return cell_.version(); });
  }

  Status wait_for_change(std::uint64_t since, Timeout timeout) const {
    const Gate::Visit visit(opened_.gate());
    if (opened_.gate().is_closing()) return Status::closed;
    return cell_.wait_for_change(since, timeout, Session::For::another_participant);
  }

  // Calls deliver(bytes, changed) after changes, on a thread of its own, until the handler is cancelled or the handle closes.
  // `poll` > 0: looks so often whether a foreign program has changed the bytes.
  using Deliver = std::function<void(const std::byte* now, const Changed& what)>;
  void watch(std::shared_ptr<Handler> handler, std::chrono::milliseconds poll, Deliver deliver) {
    const auto visit = opened_.enter();
    if (poll < std::chrono::milliseconds(0))
      throw Error(Errc::invalid_argument, name(), "the poll interval is negative; 0 means do not poll");
    std::vector<std::byte> last(cell_.memory().size());
    const auto seen = copy_to(last);
    workers_.start(opened_.gate(), [this, handler = std::move(handler), poll, deliver = std::move(deliver),
                                    last = std::move(last), seen]() mutable { watching(*handler, poll, deliver, last, seen); });
  }

  auto wait_source() const { return cell_.wait_source(); }

 private:
  // How long a cancelled handler's thread lives on at most.
  static constexpr std::chrono::milliseconds look_up{1000};

  static layout::CellBlock& block(const segment::Segment& segment) noexcept {
    return *reinterpret_cast<layout::CellBlock*>(segment.payload());
  }

  // Where the system ends names one by one, with their holders, the bytes of a struct that is just ending may be gone before its
  // control segment: that one will be gone too, on a busy machine later than soon.
  static std::shared_ptr<Session> open(const std::string& name, segment::Intent intent, Type type, const void* initial,
                                       const OpenOptions& options, const std::shared_ptr<segment::RawObject>& raw) {
    const core::Deadline deadline(options.open_timeout);
    for (;;) {
      try {
        return try_open(name, intent, type, initial, options, raw);
      } catch (const segment::RawObject::BytesGone&) {
        if (platform::SharedObject::names_can_be_removed || deadline.passed(core::Clock::now())) throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  static std::shared_ptr<Session> try_open(const std::string& name, segment::Intent intent, Type type, const void* initial,
                                           const OpenOptions& options, const std::shared_ptr<segment::RawObject>& raw) {
    using segment::Intent;
    using segment::RawObject;
    if (intent != Intent::open) {
      return open_control(name, intent, type, options, raw, [=](layout::CellBlock& record) {
        const bool is_foreign = intent == Intent::open_or_create && RawObject::look_for_foreign(name) == RawObject::Found::bytes;
        if (is_foreign) return raw->adopt(name, type.size, segment::RawObject::Access::read_write, record);
        raw->make(name, initial, type.size, options, record);
      });
    }
    const auto access = options.read_only ? segment::RawObject::Access::read_only : segment::RawObject::Access::read_write;  // NOLINT(clang-analyzer-deadcode.DeadStores): captured below
    const core::Deadline deadline(options.open_timeout);
    for (;;) {
      try {
        return open_control(name, intent, type, options, raw, [](layout::CellBlock&) {});
      } catch (const Error& error) {
        if (error.code() != Errc::not_found) throw;
        const auto found = RawObject::look_for_foreign(name);
        if (found == RawObject::Found::segment && !segment::remove_if_dead(name)) {
          throw Error(Errc::wrong_kind, name, "it holds a segment of another kind; open it with the class that created it");
        }
        if (found != RawObject::Found::bytes) throw;
      }
      // A foreign program's: we add the control segment, which others then share.
      try {
        OpenOptions writable = options;
        writable.read_only = false;
        return open_control(name, Intent::create, type, writable, raw,
                            [=](layout::CellBlock& record) { raw->adopt(name, type.size, access, record); });
      } catch (const Error& error) {
        if (error.code() != Errc::already_exists || deadline.passed(core::Clock::now())) throw;  // otherwise another was faster: open it
      }
    }
  }

  static std::shared_ptr<Session> open_control(const std::string& name, segment::Intent intent, Type type,
                                               const OpenOptions& options, const std::shared_ptr<segment::RawObject>& raw,
                                               const std::function<void(layout::CellBlock&)>& fill) {
    const segment::Expectation expected{
        {layout::Kind::structure, type.size, 1, 64, type.fingerprint}, true, true, layout::control_suffix};
    const auto access = options.read_only ? segment::RawObject::Access::read_only : segment::RawObject::Access::read_write;
    segment::Contents contents;
    contents.fill = [fill](const segment::Segment& segment) { fill(block(segment)); };
    contents.attach = [=](const segment::Segment& segment) { raw->attach(name, type.size, access, block(segment)); };
    contents.mend = [=](const segment::Segment& segment, layout::Seat dead) -> std::uint32_t {
      CellHandle::mend(segment, CellMemory(block(segment), raw->data(), type.size), dead);
      return 0;
    };
    return std::make_shared<Session>(name, intent, expected, RingOptions{options}, std::move(contents));
  }

  std::uint64_t copy_to(std::vector<std::byte>& bytes) const {
    return cell_.read([&](const std::byte* from) { platform::load_bytes(bytes.data(), from, bytes.size()); });
  }

  void watching(const Handler& handler, std::chrono::milliseconds poll, const Deliver& deliver, std::vector<std::byte>& last,
                std::uint64_t seen) {
    const bool polls = poll > std::chrono::milliseconds(0);
    std::vector<std::byte> now(last.size());
    bool again = false;
    while (!opened_.gate().is_closing() && !handler.is_cancelled()) {
      const Status status = cell_.wait_for_change(seen, polls ? (std::min)(poll, look_up) : look_up, Session::For::anybody, again);
      again = status == Status::timed_out;
      if (status == Status::closed) return;
      if (status != Status::ok && !polls) continue;
      std::uint64_t version = 0;
      try {
        version = copy_to(now);
      } catch (const Error&) {
        continue;  // torn every time, for seconds: the next look may find it whole
      }
      const Range differs = polls ? platform::difference(now.data(), last.data(), now.size()) : Range{};
      if (version == seen && differs.count == 0) continue;
      Changed what{version, {}, differs.first, differs.first + differs.count - 1};
      if (version != seen) {
        what = cell_.changes(seen, version);
        if (differs.count != 0) {
          what.first = (std::min)(what.first, differs.first);
          what.last = (std::max)(what.last, differs.first + differs.count - 1);
        }
      }
      deliver(now.data(), what);
      seen = version;
      last.swap(now);
    }
  }

  std::shared_ptr<segment::RawObject> raw_;
  Opened opened_;
  CellHandle cell_;
  bool read_only_;
  Timeout lock_timeout_;
  Workers workers_;
};

}  // namespace strait::handle
