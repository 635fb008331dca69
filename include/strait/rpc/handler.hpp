#pragma once
// A user's handler of requests, whatever its form, behind one call.

#include <strait/core/shareable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace strait::rpc {

template <class R>
concept RpcResult = std::is_void_v<R> || core::ShareableRange<const std::remove_cvref_t<R>> || Shareable<std::remove_cvref_t<R>>;

template <class H>
concept HandlerWithStop = std::invocable<H&, std::uint64_t, std::span<const std::byte>, std::stop_token> &&
                          RpcResult<std::invoke_result_t<H&, std::uint64_t, std::span<const std::byte>, std::stop_token>>;
template <class H>
concept HandlerWithoutStop = std::invocable<H&, std::uint64_t, std::span<const std::byte>> &&
                             RpcResult<std::invoke_result_t<H&, std::uint64_t, std::span<const std::byte>>>;
/// (std::uint64_t message_id, std::span<const std::byte> payload [, std::stop_token]) -> void, a Shareable or a contiguous range of Shareable
template <class H>
concept RpcHandler = HandlerWithStop<H> || HandlerWithoutStop<H>;

// Who gets the bytes of a handler's result, while the result is alive: nothing is copied in between.
class ReplyTo {
 public:
  template <class F>
  explicit ReplyTo(F& receiver) noexcept
      : receiver_(const_cast<void*>(static_cast<const void*>(std::addressof(receiver)))), call_([](void* to, std::span<const std::byte> bytes) { (*static_cast<F*>(to))(bytes); }) {}

  void operator()(std::span<const std::byte> bytes) const { call_(receiver_, bytes); }

 private:
  void* receiver_;
  void (*call_)(void*, std::span<const std::byte>);
};

class Handler {
 public:
  Handler() = default;

  template <RpcHandler F>
  explicit Handler(std::in_place_t, F handler) : wants_stop_(HandlerWithStop<F>) {
    // Shared, so that a handler that can only be moved will do.
    run_ = [handler = std::make_shared<F>(std::move(handler))](std::uint64_t id, std::span<const std::byte> payload, const std::stop_token& stop,
                                                              ReplyTo reply) {
      if constexpr (HandlerWithStop<F>) {
        answer(reply, [&]() -> decltype(auto) { return std::invoke(*handler, id, payload, stop); });
      } else {
        answer(reply, [&]() -> decltype(auto) { return std::invoke(*handler, id, payload); });
      }
    };
  }

  explicit operator bool() const noexcept { return static_cast<bool>(run_); }
  bool wants_stop() const noexcept { return wants_stop_; }

  // Any number of threads at a time.
  void operator()(std::uint64_t id, std::span<const std::byte> payload, const std::stop_token& stop, ReplyTo reply) const { run_(id, payload, stop, reply); }

 private:
  template <class F>
  static void answer(ReplyTo reply, F call) {
    using Result = std::invoke_result_t<F>;
    if constexpr (std::is_void_v<Result>) {
      call();
      reply({});
    } else if constexpr (core::ShareableRange<const std::remove_cvref_t<Result>>) {
      const auto& result = call();
      reply(std::as_bytes(std::span(std::ranges::data(result), std::ranges::size(result))));
    } else {
      const auto& result = call();
      reply(std::as_bytes(std::span(std::addressof(result), 1)));
    }
  }

  std::function<void(std::uint64_t, std::span<const std::byte>, const std::stop_token&, ReplyTo)> run_;
  bool wants_stop_ = false;
};

}  // namespace strait::rpc
