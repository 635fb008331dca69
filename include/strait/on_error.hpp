#pragma once
// on_error: where the exceptions of callbacks go.

#include <strait/core/error_report.hpp>

#include <exception>
#include <functional>
#include <string_view>
#include <utility>

namespace strait {

/// Installs the process-wide hook that gets the exceptions of callbacks and where they came from; an empty function brings back
/// the default, which prints to std::cerr. It is called on the callback's thread, at the same time from several. Any thread.
inline void on_error(std::function<void(std::exception_ptr, std::string_view where)> hook) { core::ErrorReport::install(std::move(hook)); }

}  // namespace strait
