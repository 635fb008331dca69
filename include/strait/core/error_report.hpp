#pragma once
// Where the exceptions of callbacks go: a process-wide hook, because there is no caller to throw them at.

#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace strait::core {

using ErrorHook = std::function<void(std::exception_ptr, std::string_view)>;

inline void print_error(std::exception_ptr error, std::string_view where) {
  std::string what = "an exception that is not a std::exception";
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
  }
  std::cerr << "strait: " << where << ": " << what << std::endl;
}

class ErrorReport {
 public:
  static void install(ErrorHook hook) {
    auto shared = hook ? std::make_shared<const ErrorHook>(std::move(hook)) : nullptr;
    State& state = instance();
    const std::lock_guard lock(state.mutex);
    state.hook.swap(shared);
  }

  // The hook runs outside the lock and may install another one. What it throws itself has nowhere to go.
  static void report(std::exception_ptr error, std::string_view where) noexcept {
    try {
      std::shared_ptr<const ErrorHook> hook;
      {
        State& state = instance();
        const std::lock_guard lock(state.mutex);
        hook = state.hook;
      }
      if (hook) {
        (*hook)(std::move(error), where);
      } else {
        print_error(std::move(error), where);
      }
    } catch (...) {
    }
  }

 private:
  struct State {
    std::mutex mutex;
    std::shared_ptr<const ErrorHook> hook;
  };

  // Never destroyed: callbacks of handles with static lifetime may still fail.
  static State& instance() {
    static State* const state = new State;
    return *state;
  }
};

}  // namespace strait::core
