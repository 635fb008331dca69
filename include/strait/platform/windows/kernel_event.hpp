#pragma once
// A named event of the system. A set releases the threads that wait for it as it is made, so a reset that follows takes nothing
// from them; who had been released when it was killed took its set along. The system does not tell whether anybody else has it open.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/core/error.hpp>
#include <strait/core/options.hpp>
#include <strait/core/timeout.hpp>
#include <strait/platform/windows/access_rights.hpp>
#include <strait/platform/windows/api.hpp>
#include <strait/platform/windows/kernel_gate.hpp>

#include <boost/winapi/dll.hpp>
#include <boost/winapi/get_proc_address.hpp>

#include <string>
#include <string_view>

namespace strait::platform {

class KernelEvent {
 public:
  KernelEvent(std::string_view name, bool manual, bool initially_set, const OpenOptions& options)
      : name_(name), gate_(name) {
    windows::AccessRights rights(name_, options.permissions, windows::Purpose::waiting);
    event_ = windows::Handle(::CreateEventA(rights.get(), manual, initially_set, name_.c_str()));
    // Another program may have given no more rights.
    if (!event_) event_ = windows::Handle(::OpenEventA(windows::may_synchronize | windows::may_set_event, 0, name_.c_str()));
    if (!event_) windows::refuse_object(name_, manual ? "a manual event" : "an automatic event");
    if (is_other_kind(event_, manual)) {
      throw Error(
          Errc::type_mismatch, name_,
          manual ? "it is an automatic event, asked for a manual one" : "it is a manual event, asked for an automatic one");
    }
  }
  KernelEvent(const KernelEvent&) = delete;
  KernelEvent& operator=(const KernelEvent&) = delete;
  ~KernelEvent() { close(); }

  const std::string& name() const noexcept { return name_; }

  void set() {
    const windows::KernelGate::Visit visit(gate_);
    gate_.throw_if_closing(name_);
    ::SetEvent(event_.get());
  }

  void reset() {
    const windows::KernelGate::Visit visit(gate_);
    gate_.throw_if_closing(name_);
    ::ResetEvent(event_.get());
  }

  Status wait(Timeout timeout) {
    const windows::KernelGate::Visit visit(gate_);
    if (gate_.is_closing()) return Status::closed;
    switch (gate_.wait(event_.get(), timeout)) {
      case windows::KernelGate::Waited::closing:
        return Status::closed;
      case windows::KernelGate::Waited::timed_out:
        return Status::timed_out;
      default:
        return Status::ok;
    }
  }

  void close() noexcept { gate_.close(); }

 private:
  // The system's public functions do not tell. Where it does not let us ask, the event is taken for what was asked for.
  static bool is_other_kind(const windows::Handle& event, bool manual) noexcept {
    struct {
      int is_automatic;
      long is_set;
    } answer{};
    using Query = long(__stdcall*)(void*, int, void*, unsigned long, unsigned long*);
    static const auto query = reinterpret_cast<Query>(
        reinterpret_cast<void*>(boost::winapi::get_proc_address(boost::winapi::GetModuleHandleA("ntdll.dll"), "NtQueryEvent")));
    constexpr int basic_information = 0;
    if (query == nullptr || query(event.get(), basic_information, &answer, sizeof answer, nullptr) != 0) return false;
    return (answer.is_automatic == 0) != manual;
  }

  std::string name_;
  windows::Handle event_;
  windows::KernelGate gate_;
};

}  // namespace strait::platform

#endif
