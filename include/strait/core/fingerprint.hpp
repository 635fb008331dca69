#pragma once
// The fingerprint of a type: 64-bit FNV-1a (the public-domain hash of Fowler, Noll and Vo) over its kind, its width and, for
// classes, what `share_name` says.

#include <strait/core/shareable.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace strait::core {

class Fnv1a {
 public:
  constexpr void add(std::uint64_t value) noexcept {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(value >> shift));
  }
  constexpr void add(std::string_view text) noexcept {
    add(static_cast<std::uint64_t>(text.size()));
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
  }
  constexpr std::uint64_t value() const noexcept { return hash_; }

 private:
  constexpr void add_byte(unsigned char byte) noexcept { hash_ = (hash_ ^ byte) * 0x100000001b3ull; }

  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

enum class ValueKind : std::uint64_t { class_type = 1, signed_integer, unsigned_integer, floating, boolean, character };

template <class T>
constexpr ValueKind kind_of() noexcept {
  if constexpr (std::is_enum_v<T>) {
    return kind_of<std::underlying_type_t<T>>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return ValueKind::boolean;
  } else if constexpr (std::is_same_v<T, char>) {
    return ValueKind::character;
  } else if constexpr (std::is_floating_point_v<T>) {
    return ValueKind::floating;
  } else if constexpr (std::is_integral_v<T>) {
    return std::is_signed_v<T> ? ValueKind::signed_integer : ValueKind::unsigned_integer;
  } else {
    return ValueKind::class_type;
  }
}

template <class T>
concept NamedShareable = requires { std::string_view(share_name<T>::value); };
template <class T>
concept FieldedShareable = requires { std::tuple_size<std::remove_cvref_t<decltype(share_name<T>::fields)>>::value; };

// Where a member lies in its class. Bytes instead of an object, so that T needs no default constructor; no member is read, and no
// reference is made to it, because a member of a packed struct may lie anywhere.
template <class T, class Member>
std::uint64_t offset_of(Member T::*member) noexcept {
  alignas(T) static std::byte place[sizeof(T)];
  const T* object = reinterpret_cast<const T*>(place);
  return static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(&(object->*member)) - place);
}

template <Shareable T>
std::uint64_t fingerprint() noexcept {
  Fnv1a hash;
  hash.add(static_cast<std::uint64_t>(kind_of<T>()));
  hash.add(static_cast<std::uint64_t>(sizeof(T)));
  if constexpr (NamedShareable<T>) hash.add(std::string_view(share_name<T>::value));
  if constexpr (FieldedShareable<T>) {
    const auto add_field = [&hash]<class Member>(Member T::*member) {
      hash.add(offset_of(member));
      hash.add(static_cast<std::uint64_t>(kind_of<Member>()));
      hash.add(static_cast<std::uint64_t>(sizeof(Member)));
    };
    std::apply([&](auto... members) { (add_field(members), ...); }, share_name<T>::fields);
  }
  return hash.value();
}

}  // namespace strait::core
