#pragma once
// Child processes for tests. The test program starts itself again and runs a registered function there, so parent and child
// stand in one source file:
//
//     const strait::test::ChildFunction echo{"echo", [](std::span<const std::string> arguments) -> int {
//       strait::test::say(arguments[0]);
//       return 0;
//     }};
//     ...
//     strait::test::Child child("echo", {"hello"});
//     CHECK(child.read_line() == "hello");
//     CHECK(child.wait().clean());
//
// The child's standard input and output are a channel of lines to the parent. A child dies with the thread that started it,
// so a test that is aborted leaves no process behind.

#include <sys/types.h>

#include <csignal>
#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#ifdef _WIN32
// Windows has no signals; these stand for the two ways in which the tests treat a process.
inline constexpr int SIGKILL = 9;
inline constexpr int SIGSTOP = 19;
#endif

namespace strait::test {

#ifdef _WIN32
using ChannelEnd = void*;
inline constexpr ChannelEnd no_channel = nullptr;
#else
using ChannelEnd = int;
inline constexpr ChannelEnd no_channel = -1;
#endif

/// Registers a function that a child process can run. Namespace scope only.
class ChildFunction {
 public:
  using Body = std::function<int(std::span<const std::string>)>;
  ChildFunction(std::string_view name, Body body);
};

/// Runs a registered function; an exception becomes exit code 98 and a line on standard error, an unknown name 97.
int run_child_function(std::string_view name, std::span<const std::string> arguments);

/// In the child: one line to the parent.
void say(std::string_view line);

/// In the child: the parent's next line; nothing when the parent has closed the channel or is gone.
std::optional<std::string> hear();

/// In every process of a test, first of all.
void prepare_process();

/// In the child, first of all: false if the parent is gone already.
bool die_with_parent();

/// Ends this process as a kill from outside would: no destructor runs, nothing is flushed.
[[noreturn]] void die_here();

/// Stops this process until another continues (or ends) it.
void stand_still_here();

/// What this process has used of the processors.
std::chrono::microseconds processor_time();

/// A crash of this process on purpose leaves no core file.
void without_core_file();

/// Ends this process with a code, without running a destructor.
[[noreturn]] void exit_at_once(int code);

/// How a child ended: `code` or `signal`, never both.
struct Exit {
  std::optional<int> code;
  std::optional<int> signal;

  bool clean() const { return code == 0; }
  bool killed_by(int number) const { return signal == number; }
  friend std::ostream& operator<<(std::ostream& out, const Exit& exit);
};

/// What runs as a child: this program, or its other build that the environment's `other_program` names, if it does.
enum class Program { same, other };
inline constexpr const char* other_program = "STRAIT_TEST_OTHER";

/// A child process, killed and reaped by the destructor if it is still there. One thread at a time.
class Child {
 public:
  explicit Child(std::string_view function, const std::vector<std::string>& arguments = {}, Program which = Program::same);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }

  /// One line to the child; false when it no longer listens.
  bool write_line(std::string_view line);
  /// The child has no more lines to expect from here.
  void close_input();
  /// The child's next line; nothing when it has ended its output, or after `limit`.
  std::optional<std::string> read_line(std::chrono::milliseconds limit = std::chrono::seconds(60));

  /// SIGKILL. `wait` reaps it.
  void kill();
  /// SIGSTOP; returns when the child stands still (or has ended).
  void stop();
  /// SIGCONT.
  void cont();
  /// Neither ended nor reaped. Does not reap.
  bool running() const;
  /// Waits for the end, without a limit (a Watchdog limits it), and reaps. May be called again.
  Exit wait();

 private:
  pid_t pid_ = -1;
  ChannelEnd input_ = no_channel;   // what the child reads
  ChannelEnd output_ = no_channel;  // what the child writes
  std::string pending_;
  std::optional<Exit> ended_;
#ifdef _WIN32
  void* process_ = nullptr;
  bool killed_ = false;
#endif
};

/// Returns when the child has given up the processor: one that spins or works has not.
void until_asleep(const Child& child);

}  // namespace strait::test
