#pragma once
// Which types may cross a process border, and how a type is recognised on the other side.
//
// A type is shareable when its bytes mean the same to every process: no addresses, nothing that needs a constructor on the
// other side. Its fingerprint is compared when a segment is opened: width and kind for arithmetic and enum types, size and
// `share_name` for classes. Alignment is not part of it, because it differs between 32- and 64-bit builds.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace strait {

/// Specialise for a class to let its name (`static constexpr std::string_view value`) and its fields
/// (`static constexpr auto fields = std::tuple{&T::a, &T::b}`) join its fingerprint.
template <class T>
struct share_name {};

namespace core {

template <class T>
struct IsSpan : std::false_type {};
template <class T, std::size_t Extent>
struct IsSpan<std::span<T, Extent>> : std::true_type {};
template <class T>
struct IsStringView : std::false_type {};
template <class Char, class CharTraits>
struct IsStringView<std::basic_string_view<Char, CharTraits>> : std::true_type {};

template <class T>
struct ArrayElement : std::type_identity<std::remove_cv_t<std::remove_all_extents_t<T>>> {};
template <class T, std::size_t Size>
struct ArrayElement<std::array<T, Size>> : ArrayElement<T> {};

template <class T>
using array_element_t = typename ArrayElement<std::remove_cv_t<std::remove_all_extents_t<T>>>::type;

// The names of these concepts are what a compiler prints when a type is refused, so they say what to do instead.
template <class T>
concept trivially_copyable_so_move_its_data_into_a_plain_struct = std::is_trivially_copyable_v<T>;
template <class T>
concept no_pointer_so_share_an_index_or_offset_instead = !std::is_pointer_v<T> && !std::is_member_pointer_v<T> && !std::is_reference_v<T>;
template <class T>
concept no_view_so_pass_the_elements_it_refers_to = !IsSpan<T>::value && !IsStringView<T>::value;

}  // namespace core

/// What may cross a process border: trivially copyable, and not a pointer, reference, member pointer, `std::span`,
/// `std::basic_string_view`, or array of these.
template <class T>
concept Shareable = core::no_pointer_so_share_an_index_or_offset_instead<std::remove_cv_t<T>> &&
                    core::no_pointer_so_share_an_index_or_offset_instead<core::array_element_t<T>> &&
                    core::no_view_so_pass_the_elements_it_refers_to<core::array_element_t<T>> &&
                    core::trivially_copyable_so_move_its_data_into_a_plain_struct<T> && !std::is_function_v<T> && !std::is_void_v<T> &&
                    !std::is_null_pointer_v<core::array_element_t<T>>;

namespace core {

// What a range has. These concepts need no more than <iterator>: <ranges> costs each file that includes Strait a tenth of a second.
template <class R>
using range_iterator_t = decltype(std::ranges::begin(std::declval<R&>()));
template <class R>
using range_element_t = std::iter_value_t<range_iterator_t<R>>;

/// A contiguous sized range of Shareable elements: vector, array, span, string_view, built-in array.
template <class R>
concept ShareableRange = requires(R& range) {
  { std::ranges::begin(range) } -> std::contiguous_iterator;
  std::ranges::end(range);
  std::ranges::size(range);
  { std::ranges::data(range) } -> std::same_as<std::add_pointer_t<std::iter_reference_t<range_iterator_t<R>>>>;
} && Shareable<range_element_t<R>>;

}  // namespace core
}  // namespace strait
