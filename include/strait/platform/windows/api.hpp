#pragma once
// The functions of Windows that Strait calls, declared as <windows.h> declares them, so that it may come before, after or not at
// all, with whatever macros its user likes; and a handle that closes itself.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <cstdint>
#include <utility>

struct _SECURITY_ATTRIBUTES;
struct _FILETIME;

extern "C" {
__declspec(dllimport) int __stdcall CloseHandle(void*);
__declspec(dllimport) unsigned long __stdcall GetLastError();
__declspec(dllimport) unsigned long __stdcall WaitForSingleObject(void*, unsigned long);
__declspec(dllimport) unsigned long __stdcall WaitForMultipleObjects(unsigned long, void* const*, int, unsigned long);
__declspec(dllimport) void* __stdcall CreateMutexA(_SECURITY_ATTRIBUTES*, int, const char*);
__declspec(dllimport) void* __stdcall OpenMutexA(unsigned long, int, const char*);
__declspec(dllimport) int __stdcall ReleaseMutex(void*);
__declspec(dllimport) void* __stdcall CreateEventA(_SECURITY_ATTRIBUTES*, int, int, const char*);
__declspec(dllimport) void* __stdcall OpenEventA(unsigned long, int, const char*);
__declspec(dllimport) int __stdcall SetEvent(void*);
__declspec(dllimport) int __stdcall ResetEvent(void*);
__declspec(dllimport) void __stdcall Sleep(unsigned long);
__declspec(dllimport) unsigned long __stdcall FlsAlloc(void(__stdcall*)(void*));
__declspec(dllimport) void* __stdcall FlsGetValue(unsigned long);
__declspec(dllimport) int __stdcall FlsSetValue(unsigned long, void*);
__declspec(dllimport) unsigned long __stdcall GetCurrentProcessId();
__declspec(dllimport) void* __stdcall GetCurrentProcess();
__declspec(dllimport) void* __stdcall OpenProcess(unsigned long, int, unsigned long);
__declspec(dllimport) int __stdcall GetProcessTimes(void*, _FILETIME*, _FILETIME*, _FILETIME*, _FILETIME*);
__declspec(dllimport) unsigned long long __stdcall GetTickCount64();
__declspec(dllimport) int __stdcall ConvertStringSecurityDescriptorToSecurityDescriptorA(const char*, unsigned long, void**, unsigned long*);
__declspec(dllimport) void* __stdcall LocalFree(void*);
}

namespace strait::platform::windows {

// Numbers of the system, under names of our own: its own names are macros, where its headers are included.
inline constexpr unsigned long file_not_found = 2;
inline constexpr unsigned long access_denied = 5;
inline constexpr unsigned long invalid_handle = 6;  // the name belongs to another kind of object
inline constexpr unsigned long invalid_parameter = 87;
inline constexpr unsigned long already_exists = 183;
inline constexpr unsigned long may_synchronize = 0x0010'0000;
inline constexpr unsigned long may_set_event = 0x0002;
inline constexpr unsigned long may_query_process = 0x1000;
inline constexpr unsigned long wait_satisfied = 0;
inline constexpr unsigned long wait_abandoned = 0x80;
inline constexpr unsigned long wait_timed_out = 258;

class Handle {
 public:
  Handle() = default;
  explicit Handle(void* handle) noexcept : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (handle_ != nullptr) ::CloseHandle(handle_);
  }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  void* get() const noexcept { return handle_; }

 private:
  void* handle_ = nullptr;
};

}  // namespace strait::platform::windows

#endif
