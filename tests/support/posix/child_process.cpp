// Child processes on POSIX: posix_spawn, pipes, signals.

#include "../child.hpp"
#include "../eventually.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

extern char** environ;  // NOLINT: POSIX names it

namespace strait::test {
namespace {

// A pipe whose ends no other child inherits: otherwise a sibling would keep the channel open after its owner's death.
std::pair<int, int> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {ends[0], ends[1]};
}

void close_end(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// What runs as the child: this very program, even if a build has replaced the file meanwhile (the link means the file that is
// running), or another build of it, with the emulator that it needs in front.
std::vector<std::string> program(Program which) {
  const char* const other = std::getenv(other_program);
  if (which == Program::same || other == nullptr) {
    // By its path where that is known: under valgrind the link is valgrind itself, and only its text is right.
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    return {!error && std::filesystem::exists(path, error) ? path.string() : "/proc/self/exe"};
  }
  std::vector<std::string> words;
  std::istringstream text(other);
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

}  // namespace

void prepare_process() {
  // Writing to a child that was killed is an answer (false), not the end of the test program.
  std::signal(SIGPIPE, SIG_IGN);
}

bool die_with_parent() {
#ifdef __linux__
  // The parent names itself in the environment, so that a parent that died before this line is noticed too.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const char* parent = std::getenv("STRAIT_TEST_PARENT");
  return parent == nullptr || std::to_string(::getppid()) == parent;
#else
  return true;
#endif
}

void die_here() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

void stand_still_here() { ::kill(::getpid(), SIGSTOP); }

std::chrono::microseconds processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void without_core_file() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void exit_at_once(int code) { ::_exit(code); }

void until_asleep(const Child& child) {
  eventually([&] {
    std::ifstream file("/proc/" + std::to_string(child.pid()) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const auto end = stat.rfind(')');
    return end != std::string::npos && stat.size() > end + 2 && stat[end + 2] == 'S';
  });
}

Child::Child(std::string_view function, const std::vector<std::string>& arguments, Program which) {
  std::vector<std::string> words = program(which);
  const std::string file = words.front();
  words.insert(words.end(), {"--child", std::string(function)});
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  std::vector<std::string> settings;
  for (char** setting = environ; *setting != nullptr; ++setting) {
    if (!std::string_view(*setting).starts_with("STRAIT_TEST_PARENT=")) settings.emplace_back(*setting);
  }
  settings.push_back("STRAIT_TEST_PARENT=" + std::to_string(::getpid()));
  std::vector<char*> environment;
  for (auto& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);

  auto [child_input, input] = make_pipe();
  auto [output, child_output] = make_pipe();

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, child_input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, child_output, STDOUT_FILENO);
  const int error = ::posix_spawnp(&pid_, file.c_str(), &actions, nullptr, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  close_end(child_input);
  close_end(child_output);
  input_ = input;
  output_ = output;
  if (error != 0) {
    close_end(input_);
    close_end(output_);
    throw std::system_error(error, std::generic_category(), "posix_spawn");
  }
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      pending_(std::move(other.pending_)),
      ended_(std::exchange(other.ended_, std::nullopt)) {}

Child::~Child() {
  close_end(input_);
  close_end(output_);
  if (pid_ < 0 || ended_) return;
  ::kill(pid_, SIGKILL);
  wait();
}

bool Child::write_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(input_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
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
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{output_, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    char bytes[4096];
    const ssize_t count = ::read(output_, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    pending_.append(bytes, static_cast<std::size_t>(count));
  }
}

void Child::kill() {
  if (!ended_) ::kill(pid_, SIGKILL);
}

void Child::stop() {
  if (ended_) return;
  ::kill(pid_, SIGSTOP);
  siginfo_t info{};
  // WNOWAIT leaves an end to be reaped by wait().
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

void Child::cont() {
  if (!ended_) ::kill(pid_, SIGCONT);
}

bool Child::running() const {
  if (ended_) return false;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  return info.si_pid == 0;
}

Exit Child::wait() {
  if (ended_) return *ended_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  Exit exit;
  if (WIFEXITED(status)) exit.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  ended_ = exit;
  return exit;
}

}  // namespace strait::test
