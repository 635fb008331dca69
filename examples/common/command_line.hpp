#pragma once
// The few command line options of the examples: "--name VALUE" in any order, the rest are positional.
//
//   CommandLine line(argc, argv, usage);                        // --help prints the usage and ends the program
//   const auto seconds = line.number("--seconds", 10);          // takes the option out of the line
//   const bool quiet = line.flag("--quiet");
//   const auto files = line.positional(0, 1);                   // last: whatever is left, and nothing unknown may be left

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace examples {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CommandLine {
 public:
  CommandLine(int argc, char** argv, std::string_view usage) : words_(argv + 1, argv + argc) {
    for (const std::string& word : words_) {
      if (word != "--help" && word != "-h") continue;
      std::cout << usage;
      std::exit(0);
    }
  }

  std::string text(std::string_view option, std::string_view fallback) { return take(option).value_or(std::string(fallback)); }

  bool flag(std::string_view option) { return std::erase(words_, option) != 0; }

  std::uint64_t number(std::string_view option, std::uint64_t fallback, std::uint64_t least = 0,
                       std::uint64_t most = std::numeric_limits<std::uint32_t>::max()) {
    const auto value = take(option);
    return value ? parse(option, *value, least, most) : fallback;
  }

  /// "--wait SECONDS" or "--wait forever": the instant at which to give up.
  std::chrono::steady_clock::time_point deadline(std::string_view option, std::chrono::seconds fallback) {
    const auto value = take(option);
    if (value == "forever") return std::chrono::steady_clock::time_point::max();
    const auto seconds = value ? std::chrono::seconds(parse(option, *value, 0, 1'000'000)) : fallback;
    return std::chrono::steady_clock::now() + seconds;
  }

  std::vector<std::string> positional(std::size_t least, std::size_t most) {
    for (const std::string& word : words_)
      if (word.size() > 1 && word.front() == '-') throw UsageError("unknown option " + word);
    if (words_.size() < least) throw UsageError("an argument is missing");
    if (words_.size() > most) throw UsageError("unexpected argument " + words_.back());
    return words_;
  }

 private:
  std::optional<std::string> take(std::string_view option) {
    for (auto word = words_.begin(); word != words_.end(); ++word) {
      if (*word != option) continue;
      if (word + 1 == words_.end()) throw UsageError("option " + *word + " needs a value");
      std::string value = *(word + 1);
      words_.erase(word, word + 2);
      return value;
    }
    return std::nullopt;
  }

  static std::uint64_t parse(std::string_view option, const std::string& value, std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    if (error == std::errc{} && stop == end && number >= least && number <= most) return number;
    throw UsageError(std::string(option) + " takes a number from " + std::to_string(least) + " to " + std::to_string(most) +
                     ", not \"" + value + '"');
  }

  std::vector<std::string> words_;
};

}  // namespace examples
