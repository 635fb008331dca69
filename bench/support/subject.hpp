// What the workloads ask of a subject. A subject is one way to move messages between processes: a transport together with how
// it waits. It is a class (the "channel") made in the parent before the fork, with two nested classes made in the children:
//
//     struct Subject {
//       static constexpr const char* name;         // "pipe"
//       static constexpr Kind kind;                // limit, peer or strait
//       explicit Subject(const Shape&);            // parent: makes what both sides need; throws Unavailable if it cannot be had
//       class Writer {
//         Writer(Subject&, unsigned index);        // child: opens its end
//         bool write(const Message&);              // one 64-byte message
//         bool write_block(std::span<const std::byte>);       // one message of shape.node_bytes, copied
//         template <class F> bool fill(F);         // F(std::span<std::byte>): the message is made in place
//       };
//       class Reader { ... bool read(Message&); bool read_block(std::span<std::byte>); template <class F> bool consume(F); };
//     };
//
// All of them are attempts: `false` means "not now", and the workload tries again. A subject that waits by itself returns
// true nearly always. A subject only offers what it can do; the workloads find out by concepts. The calls are templates'
// business, so for the fast subjects the whole loop is inlined.

#pragma once

#include <sched.h>

#include <cstddef>
#include <span>
#include <stdexcept>

#include "clock.hpp"
#include "message.hpp"

namespace strait::bench {

enum class Kind { limit, peer, strait };

constexpr const char* to_string(Kind kind) noexcept {
  return kind == Kind::limit ? "limit" : kind == Kind::peer ? "peer" : "strait";
}

struct Shape {
  std::size_t nodes = 1024;
  std::size_t node_bytes = 64;
  unsigned writers = 1;
  unsigned readers = 1;
  unsigned idle_handles = 0;  // open besides those that work, and never used
};

/// The subject cannot run here, or not in this shape; the text says why. Not a failure.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class S>
concept CopiesBlocks = requires(typename S::Writer& writer, typename S::Reader& reader, std::span<const std::byte> from,
                                std::span<std::byte> to) {
  { writer.write_block(from) } -> std::same_as<bool>;
  { reader.read_block(to) } -> std::same_as<bool>;
};

template <class S>
concept WorksInPlace = requires(typename S::Writer& writer, typename S::Reader& reader) {
  { writer.fill([](std::span<std::byte>) {}) } -> std::same_as<bool>;
  { reader.consume([](std::span<const std::byte>) {}) } -> std::same_as<bool>;
};

/// Between two attempts: a pause, and where processes share a processor, now and then the processor itself.
template <bool Crowded>
struct Backoff {
  unsigned failures = 0;
  void operator()() noexcept {
    relax();
    if constexpr (Crowded)
      if (++failures % 64 == 0) ::sched_yield();
  }
};

}  // namespace strait::bench
