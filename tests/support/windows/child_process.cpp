// Child processes on Windows: CreateProcess, pipes, a job that ends with its maker. A kill is TerminateProcess; what the exit code
// of a killed process reads is up to the system, so it is remembered who was killed.

#include "../child.hpp"

#include <fcntl.h>
#include <io.h>
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

extern "C" {
__declspec(dllimport) long __stdcall NtSuspendProcess(void*);
__declspec(dllimport) long __stdcall NtResumeProcess(void*);
}

namespace strait::test {
namespace {

constexpr unsigned killed_code = 0xDEAD'0009;

[[noreturn]] void fail(const char* what) { throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), what); }

// Everything in it is killed when its only handle goes, with this process.
void* job() {
  static void* const instance = [] {
    void* const made = ::CreateJobObjectA(nullptr, nullptr);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    ::SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return made;
  }();
  return instance;
}

// As the C library's startup takes a command line apart: quotes around, backslashes doubled before a quote.
void append_quoted(std::string& line, std::string_view word) {
  if (!line.empty()) line += ' ';
  line += '"';
  std::size_t backslashes = 0;
  for (const char c : word) {
    if (c == '\\') {
      ++backslashes;
      continue;
    }
    line.append(c == '"' ? 2 * backslashes + 1 : backslashes, '\\');
    backslashes = 0;
    line += c;
  }
  line.append(2 * backslashes, '\\');
  line += '"';
}

void close_end(ChannelEnd& end) {
  if (end != no_channel) ::CloseHandle(end);
  end = no_channel;
}

// The child's end is inherited by whatever is started while it is open: one start at a time.
std::mutex& starting() {
  static std::mutex mutex;
  return mutex;
}

std::chrono::microseconds processor_time_of(void* process) {
  FILETIME created{}, ended{}, kernel{}, user{};
  if (::GetProcessTimes(process, &created, &ended, &kernel, &user) == 0) return {};
  const auto number = [](const FILETIME& time) { return static_cast<unsigned long long>(time.dwHighDateTime) << 32 | time.dwLowDateTime; };
  return std::chrono::microseconds((number(kernel) + number(user)) / 10);
}

}  // namespace

void prepare_process() {
  ::SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  // Lines end as everywhere else.
  ::_setmode(::_fileno(stdin), _O_BINARY);
  ::_setmode(::_fileno(stdout), _O_BINARY);
}

bool die_with_parent() { return true; }  // the parent's job sees to it

void die_here() {
  ::TerminateProcess(::GetCurrentProcess(), killed_code);
  for (;;) ::Sleep(1000);
}

void stand_still_here() { ::NtSuspendProcess(::GetCurrentProcess()); }

std::chrono::microseconds processor_time() { return processor_time_of(::GetCurrentProcess()); }

void without_core_file() {}

void exit_at_once(int code) {
  ::TerminateProcess(::GetCurrentProcess(), static_cast<unsigned>(code));
  for (;;) ::Sleep(1000);
}

// The system does not tell; one that works uses processor time.
void until_asleep(const Child& child) {
  void* const process = ::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, static_cast<unsigned long>(child.pid()));
  if (process == nullptr) return;
  auto before = processor_time_of(process);
  for (;;) {
    ::Sleep(60);
    const auto now = processor_time_of(process);
    if (std::exchange(before, now) == now) break;
  }
  ::CloseHandle(process);
}

Child::Child(std::string_view function, const std::vector<std::string>& arguments, Program which) {
  char path[1024];
  const char* const other = std::getenv(other_program);
  if (which == Program::other && other != nullptr) {
    std::snprintf(path, sizeof path, "%s", other);
  } else {
    ::GetModuleFileNameA(nullptr, path, sizeof path);
  }
  std::string line;
  append_quoted(line, path);
  append_quoted(line, "--child");
  append_quoted(line, function);
  for (const auto& argument : arguments) append_quoted(line, argument);

  const std::lock_guard lock(starting());
  ChannelEnd child_input = no_channel;
  ChannelEnd child_output = no_channel;
  if (::CreatePipe(&child_input, &input_, nullptr, 0) == 0 || ::CreatePipe(&output_, &child_output, nullptr, 0) == 0) fail("CreatePipe");
  ::SetHandleInformation(child_input, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  ::SetHandleInformation(child_output, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  STARTUPINFOA start{};
  start.cb = sizeof start;
  start.dwFlags = STARTF_USESTDHANDLES;
  start.hStdInput = child_input;
  start.hStdOutput = child_output;
  start.hStdError = ::GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION started{};
  bool is_started = false;
  for (int tries = 0; tries < 5 && !is_started; ++tries) {
    if (tries > 0) ::Sleep(100);  // Wine, under load: a new process that has not come up is an internal error
    is_started = ::CreateProcessA(nullptr, line.data(), nullptr, nullptr, TRUE, CREATE_SUSPENDED, nullptr, nullptr, &start, &started) != 0;
    if (!is_started && ::GetLastError() != ERROR_INTERNAL_ERROR) break;
  }
  close_end(child_input);
  close_end(child_output);
  if (!is_started) {
    close_end(input_);
    close_end(output_);
    fail("CreateProcess");
  }
  ::AssignProcessToJobObject(job(), started.hProcess);
  ::ResumeThread(started.hThread);
  ::CloseHandle(started.hThread);
  process_ = started.hProcess;
  pid_ = static_cast<pid_t>(started.dwProcessId);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, no_channel)),
      output_(std::exchange(other.output_, no_channel)),
      pending_(std::move(other.pending_)),
      ended_(std::exchange(other.ended_, std::nullopt)),
      process_(std::exchange(other.process_, nullptr)),
      killed_(other.killed_) {}

Child::~Child() {
  close_end(input_);
  close_end(output_);
  if (process_ == nullptr) return;
  kill();
  wait();
  ::CloseHandle(process_);
}

bool Child::write_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    unsigned long written = 0;
    if (::WriteFile(input_, rest.data(), static_cast<unsigned long>(rest.size()), &written, nullptr) == 0) return false;
    rest.remove_prefix(written);
  }
  return true;
}

void Child::close_input() { close_end(input_); }

std::optional<std::string> Child::read_line(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    // A pipe cannot be waited for with a limit; it can be looked into.
    unsigned long available = 0;
    if (::PeekNamedPipe(output_, nullptr, 0, nullptr, &available, nullptr) == 0) return std::nullopt;
    if (available == 0) {
      if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      ::Sleep(1);
      continue;
    }
    char bytes[4096];
    unsigned long count = 0;
    if (::ReadFile(output_, bytes, sizeof bytes, &count, nullptr) == 0 || count == 0) return std::nullopt;
    pending_.append(bytes, count);
  }
}

void Child::kill() {
  if (!running()) return;
  killed_ = true;
  ::TerminateProcess(process_, killed_code);
}

void Child::stop() {
  if (running()) ::NtSuspendProcess(process_);
}

void Child::cont() {
  if (running()) ::NtResumeProcess(process_);
}

bool Child::running() const { return !ended_ && ::WaitForSingleObject(process_, 0) == WAIT_TIMEOUT; }

Exit Child::wait() {
  if (ended_) return *ended_;
  if (::WaitForSingleObject(process_, INFINITE) != WAIT_OBJECT_0) fail("WaitForSingleObject");
  unsigned long code = 0;
  ::GetExitCodeProcess(process_, &code);
  Exit exit;
  if (killed_ || code == killed_code) {
    exit.signal = SIGKILL;
  } else {
    exit.code = static_cast<int>(code);
  }
  ended_ = exit;
  return exit;
}

}  // namespace strait::test
