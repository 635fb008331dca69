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

#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strait::test {

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

/// How a child ended: `code` or `signal`, never both.
struct Exit {
  std::optional<int> code;
  std::optional<int> signal;

  bool clean() const { return code == 0; }
  bool killed_by(int number) const { return signal == number; }
  friend std::ostream& operator<<(std::ostream& out, const Exit& exit);
};

/// A child process, killed and reaped by the destructor if it is still there. One thread at a time.
class Child {
 public:
  explicit Child(std::string_view function, const std::vector<std::string>& arguments = {});
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
  int input_ = -1;   // what the child reads
  int output_ = -1;  // what the child writes
  std::string pending_;
  std::optional<Exit> ended_;
};

}  // namespace strait::test
