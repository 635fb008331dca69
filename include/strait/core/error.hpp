#pragma once
// Errors of opening and of misuse (Errc, Error), and the verdicts of reads and writes (Status).

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace strait {

/// Why something could not be opened or was refused. The message of the `Error` says which value was wrong and what would do.
enum class Errc {
  invalid_argument = 1,
  already_exists,
  not_found,
  permission_denied,
  no_space,
  too_large,
  not_a_segment,
  wrong_version,
  wrong_kind,
  type_mismatch,
  still_creating,
  broken,
  too_many_participants,
  channel_full,
  timed_out,
  closed,
  peer_lost,
  message_too_large,
  buffer_too_small,
  out_of_range,
  would_deadlock,
  not_held
};

namespace core {

class ErrorCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "strait"; }

  std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::invalid_argument: return "invalid argument";
      case Errc::already_exists: return "already exists";
      case Errc::not_found: return "not found";
      case Errc::permission_denied: return "permission denied";
      case Errc::no_space: return "no space";
      case Errc::too_large: return "too large";
      case Errc::not_a_segment: return "not a Strait segment";
      case Errc::wrong_version: return "wrong version";
      case Errc::wrong_kind: return "wrong kind of segment";
      case Errc::type_mismatch: return "types or sizes differ";
      case Errc::still_creating: return "still being created";
      case Errc::broken: return "broken segment";
      case Errc::too_many_participants: return "too many participants";
      case Errc::channel_full: return "channel full";
      case Errc::timed_out: return "timed out";
      case Errc::closed: return "closed";
      case Errc::peer_lost: return "peer lost";
      case Errc::message_too_large: return "message too large";
      case Errc::buffer_too_small: return "buffer too small";
      case Errc::out_of_range: return "out of range";
      case Errc::would_deadlock: return "would deadlock";
      case Errc::not_held: return "lock not held";
    }
    return "unknown error";
  }
};

}  // namespace core

/// The category of every `Errc`, named "strait".
inline const std::error_category& error_category() noexcept {
  static const core::ErrorCategory category;
  return category;
}

inline std::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), error_category()}; }

/// What Strait throws. `what()` names the segment, what each side has, and the remedy.
class Error : public std::system_error {
 public:
  Error(Errc code, std::string_view segment, std::string_view detail)
      : std::system_error(make_error_code(code), describe(segment, detail)), segment_(segment) {}

  const std::string& segment() const noexcept { return segment_; }

 private:
  static std::string describe(std::string_view segment, std::string_view detail) {
    std::string text = "segment \"";
    text.append(segment).append("\": ").append(detail);
    return text;
  }

  std::string segment_;
};

/// How a read, write or wait ended.
enum class [[nodiscard]] Status : std::uint8_t { ok, timed_out, closed, peer_lost };

}  // namespace strait

template <>
struct std::is_error_code_enum<strait::Errc> : std::true_type {};
