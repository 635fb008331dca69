#pragma once
// Names of segments that no other test, process or run uses, and the check that nothing of them is left in the system.

#include <string>
#include <string_view>
#include <vector>

namespace strait::test {

/// A valid segment name, unique to process, call and run.
std::string unique_name(std::string_view tag = "segment");

/// The objects in the system's shared memory whose names begin with `prefix`; empty where they cannot be listed.
std::vector<std::string> left_behind(std::string_view prefix);

/// Holds a unique name and fails the test if an object of that name, or one whose name begins with it, is still there at the
/// end of the scope (and removes it, so that one failure does not become many). Declare it before the handles that use it.
class NameGuard {
 public:
  explicit NameGuard(std::string_view tag = "segment") : name_(unique_name(tag)) {}
  NameGuard(const NameGuard&) = delete;
  NameGuard& operator=(const NameGuard&) = delete;
  ~NameGuard() noexcept(false);  // a failed CHECK throws when the run was started with --abort

  const std::string& str() const { return name_; }
  operator const std::string&() const { return name_; }  // NOLINT: meant to be implicit
  operator std::string_view() const { return name_; }    // NOLINT

 private:
  std::string name_;
};

}  // namespace strait::test
