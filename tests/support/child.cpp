#include "child.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <utility>

namespace strait::test {
namespace {

// A function's static, because registrations of other files may run before this file's statics exist.
std::map<std::string, ChildFunction::Body, std::less<>>& functions() {
  static std::map<std::string, ChildFunction::Body, std::less<>> table;
  return table;
}

}  // namespace

ChildFunction::ChildFunction(std::string_view name, Body body) {
  if (!functions().emplace(std::string(name), std::move(body)).second) {
    std::cerr << "two child functions are called " << name << std::endl;
    std::abort();
  }
}

int run_child_function(std::string_view name, std::span<const std::string> arguments) {
  if (!die_with_parent()) return 96;
  const auto found = functions().find(name);
  if (found == functions().end()) {
    std::cerr << "no child function is called " << name << std::endl;
    return 97;
  }
  try {
    return found->second(arguments);
  } catch (const std::exception& error) {
    std::cerr << "child " << name << ": " << error.what() << std::endl;
    return 98;
  }
}

void say(std::string_view line) { std::cout << line << std::endl; }

std::optional<std::string> hear() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

std::ostream& operator<<(std::ostream& out, const Exit& exit) {
  if (exit.code) return out << "exit code " << *exit.code;
  if (exit.signal) return out << "signal " << *exit.signal;
  return out << "unknown end";
}

}  // namespace strait::test
