#pragma once
// Where the exceptions of user code go that runs on Strait's own threads: nobody up the stack could catch them.

#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace strait::core {

class ErrorHook {
 public:
  using Function = std::function<void(std::exception_ptr, std::string_view where)>;

  // Never destroyed: threads may report while static objects end.
  static ErrorHook& instance() {
    static ErrorHook* const hook = new ErrorHook;
    return *hook;
  }

  void set(Function function) {
    auto next = function ? std::make_shared<const Function>(std::move(function)) : nullptr;
    const std::lock_guard lock(mutex_);
    function_ = std::move(next);
  }

  // A hook that throws is left at that: there is nobody else to tell.
  void report(std::exception_ptr error, std::string_view where) noexcept {
    try {
      std::shared_ptr<const Function> function;
      {
        const std::lock_guard lock(mutex_);
        function = function_;
      }
      if (function) {
        (*function)(std::move(error), where);
      } else {
        print(error, where);
      }
    } catch (...) {
    }
  }

 private:
  static void print(const std::exception_ptr& error, std::string_view where) {
    std::string text = "strait: an exception from " + std::string(where) + ": ";
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      text += thrown.what();
    } catch (...) {
      text += "not a std::exception";
    }
    std::cerr << text + "\n";
  }

  std::mutex mutex_;
  std::shared_ptr<const Function> function_;
};

}  // namespace strait::core
