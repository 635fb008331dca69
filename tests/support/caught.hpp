#pragma once
// What a call threw, as a value that Catch2 prints: CHECK(caught([&] { ring.write(1); }) == Errc::closed).

#include <strait/error.hpp>

#include <exception>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace strait::test {

/// How a call ended: nothing thrown, a strait::Error, or another exception.
struct Caught {
  std::optional<Errc> code;
  std::string segment;
  std::string text;

  bool nothing() const { return !code && text.empty(); }
  /// The message says this.
  bool says(std::string_view part) const { return text.find(part) != std::string::npos; }

  friend bool operator==(const Caught& left, Errc right) { return left.code == right; }
  friend std::ostream& operator<<(std::ostream& out, const Caught& caught) {
    if (caught.nothing()) return out << "nothing was thrown";
    if (!caught.code) return out << "another exception: " << caught.text;
    return out << make_error_code(*caught.code).message() << " [" << caught.text << "]";
  }
};

template <class F>
Caught caught(F&& call) {
  try {
    static_cast<void>(std::forward<F>(call)());
  } catch (const Error& error) {
    return {static_cast<Errc>(error.code().value()), error.segment(), error.what()};
  } catch (const std::exception& error) {
    return {std::nullopt, {}, std::string("(exception) ") + error.what()};
  }
  return {};
}

inline const char* text_of(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::timed_out: return "timed_out";
    case Status::closed: return "closed";
    case Status::peer_lost: return "peer_lost";
  }
  return "unknown status";
}

}  // namespace strait::test

namespace strait {

// Found by argument-dependent lookup, so that Catch2 prints names instead of numbers.
inline std::ostream& operator<<(std::ostream& out, Status status) { return out << test::text_of(status); }
inline std::ostream& operator<<(std::ostream& out, Errc code) { return out << make_error_code(code).message(); }

}  // namespace strait
