#pragma once
// SharedStruct<T>: a struct that several processes see as their own, and programs that know nothing of Strait see too.

#include <strait/core/fingerprint.hpp>
#include <strait/error.hpp>
#include <strait/handle/struct_handle.hpp>
#include <strait/options.hpp>
#include <strait/platform/shared_bytes.hpp>
#include <strait/shareable.hpp>
#include <strait/subscription.hpp>
#include <strait/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strait {

/// What changed since the last call of a handler: a handler that is called less often than there are changes is told of several at
/// once. `by` is who made the last of them; a foreign program's direct write has no id.
struct Change {
  std::uint64_t version;
  Participant by;
  std::size_t first;  ///< the first byte that may have changed
  std::size_t last;   ///< the last

  /// May this member have changed? It may say yes too often, never no.
  template <class T, class M>
  bool has(M T::*field) const noexcept {
    const auto offset = static_cast<std::size_t>(core::offset_of(field));
    return offset <= last && first < offset + sizeof(M);
  }
};

/// A value of type T in shared memory that changes as a whole: no reader ever sees half of a change, also when the process that made
/// it was killed in the middle; then the old value is back. The segment `name` holds the bytes of T and nothing else, and any
/// program may map it; what else is needed lives in `name.ctl`. Any thread may call any function, in any process.
///
/// `load` and `get` never wait: while a change is being made they return what was before. `store`, `set` and `update` wait for other
/// writers, at most `OpenOptions::lock_timeout`, then throw timed_out; each of them is one change and raises the version by one.
template <Shareable T>
class SharedStruct {
  static_assert(alignof(T) <= layout::max_element_alignment, "mappings are aligned to pages: no struct may ask for more");
  static_assert(!std::is_const_v<T> && !std::is_array_v<T>, "share a struct, and put the array into it");

 public:
  /// Creates. Throws already_exists while a living process holds the name, not_a_segment where a foreign program's bytes lie there.
  SharedStruct(std::string_view name, const T& initial, const OpenOptions& options = {})
      : SharedStruct(name, segment::Intent::create, &initial, options) {}

  /// Opens; also an object of exactly sizeof(T) bytes that a foreign program made, which is never removed. Throws not_found,
  /// type_mismatch.
  explicit SharedStruct(std::string_view name, const OpenOptions& options = {})
      : SharedStruct(name, segment::Intent::open, nullptr, options) {}

  /// Opens, or creates what is not there.
  SharedStruct(open_or_create_t, std::string_view name, const T& initial, const OpenOptions& options = {})
      : SharedStruct(name, segment::Intent::open_or_create, &initial, options) {}

  const std::string& name() const { return handle().name(); }

  /// The creator, or who adopted the struct of a dead one.
  bool is_owner() const { return handle_ && handle_->is_owner(); }

  /// Ends this handle; idempotent. Waits of other threads return `closed`, handlers are called no more, and it returns when
  /// they have left. Throws would_deadlock from inside a handler.
  void close() {
    if (handle_) handle_->close();
  }

  T load() const {
    return copied<T>(
        [this](void* to) { handle().read([to](const std::byte* value) { platform::load_value<sizeof(T)>(to, value); }); });
  }

  void store(const T& value) {
    handle().change([&](const std::byte* now) { return all_that_differs(now, value); });
  }

  /// One member. Arrays: through `load` and `update`.
  template <class M, class Class>
  requires(std::is_same_v<Class, T> && !std::is_array_v<M> && !std::is_function_v<M>) M get(M Class::*field)
  const {
    const auto offset = static_cast<std::size_t>(core::offset_of(field));
    return copied<M>(
        [&](void* to) { handle().read([&](const std::byte* value) { platform::load_bytes(to, value + offset, sizeof(M)); }); });
  }

  /// Writes the bytes of this member and no others.
  template <class M, class Class>
  requires(std::is_same_v<Class, T> && !std::is_array_v<M> &&
           !std::is_function_v<M>) void set(M Class::*field, const std::type_identity_t<M>& value) {
    const auto offset = static_cast<std::size_t>(core::offset_of(field));
    handle().change([&](const std::byte*) { return handle::CellHandle::Write{{offset, sizeof(M)}, &value}; });
  }

  /// `f(T&)` changes a copy, with other writers kept out; what it changed is written as one change. If it throws, nothing has changed.
  template <class F>
  void update(F f) {
    Storage<T> copy;
    handle().change([&](const std::byte* now) {
      platform::load_bytes(copy.bytes(), now, sizeof(T));
      f(copy.value);
      return all_that_differs(now, copy.value);
    });
  }

  /// 0 at first, then one more with each change.
  std::uint64_t version() const { return handle().version(); }

  /// ok: the version is another than `since`. peer_lost: nobody else has it open, and who created it is gone.
  Status wait_for_change(std::uint64_t since, Timeout timeout) const { return handle().wait_for_change(since, timeout); }

  /// Calls `handler(now, what)` after changes, by whomever, on a thread of its own. With `poll` > 0 it also looks, so often, whether a
  /// foreign program has changed the bytes.
  Subscription on_updated(std::function<void(const T& now, const Change& what)> handler,
                          std::chrono::milliseconds poll = std::chrono::milliseconds{0}) {
    using Function = handle::HandlerOf<const T&, const Change&>;
    auto called = std::make_shared<Function>(std::move(handler), "on_updated of \"" + name() + "\"");
    handle().watch(called, poll, [called](const std::byte* now, const handle::Changed& what) {
      Storage<T> copy;
      std::memcpy(copy.bytes(), now, sizeof(T));
      called->call(copy.value, Change{what.version, what.by, what.first, what.last});
    });
    return Subscription(called);
  }

  /// What a foreign process maps. Reading through it is no more than reading memory that others write.
  const T* raw() const { return reinterpret_cast<const T*>(handle().raw()); }

 private:
  friend struct handle::WaitAccess;
  auto wait_source() const { return handle().wait_source(); }

  // Room for a value that is made of bytes: no constructor runs.
  template <class V>
  union Storage {
    Storage() noexcept {}  // NOLINT(modernize-use-equals-default): that one would be deleted
    void* bytes() noexcept { return static_cast<void*>(std::addressof(value)); }
    V value;
  };

  SharedStruct(std::string_view name, segment::Intent intent, const T* initial, const OpenOptions& options)
      : handle_(std::make_unique<handle::StructHandle>(
            name, intent, handle::StructHandle::Type{sizeof(T), core::fingerprint<std::remove_cv_t<T>>()}, initial, options)) {}

  template <class V, class Copy>
  static V copied(Copy copy) {
    if constexpr (std::is_trivially_default_constructible_v<V>) {
      V value;
      copy(static_cast<void*>(std::addressof(value)));
      return value;
    } else {
      Storage<V> storage;
      copy(storage.bytes());
      return storage.value;
    }
  }

  // From the first byte that differs to the last; everything, where nothing does, because a change that changes nothing is one too.
  static handle::CellHandle::Write all_that_differs(const std::byte* now, const T& value) {
    platform::Range range = platform::difference(now, std::addressof(value), sizeof(T));
    if (range.count == 0) range = {0, sizeof(T)};
    return {range, reinterpret_cast<const std::byte*>(std::addressof(value)) + range.first};
  }

  handle::StructHandle& handle() const {
    if (!handle_) [[unlikely]]
      handle::Gate::throw_closed("(moved from)");
    return *handle_;
  }

  std::unique_ptr<handle::StructHandle> handle_;
};

}  // namespace strait
