#pragma once
// on_error: where the exceptions of handlers and callbacks go.

#include <strait/core/error_hook.hpp>

#include <exception>
#include <functional>
#include <string_view>
#include <utility>

namespace strait {

/// Sets what is told of the exceptions that handlers and callbacks throw (on_updated, on_receive, remote_request_async, ...), for the whole
/// process. `where` names the kind of handler and the segment. By default, and again after an empty function, they are printed
/// to std::cerr. It is called on the handler's thread, at the same time from several. Any thread.
inline void on_error(std::function<void(std::exception_ptr, std::string_view where)> hook) { core::ErrorHook::instance().set(std::move(hook)); }

}  // namespace strait
