#pragma once
// Who lends a node to be filled in place and is not a ring that is read once: what WriteClaim needs of it.

#include <strait/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace strait::handle {

class Lender {
 public:
  Lender() = default;
  Lender(const Lender&) = delete;
  Lender& operator=(const Lender&) = delete;
  virtual ~Lender() = default;

  virtual std::span<std::byte> room(std::uint64_t ticket) noexcept = 0;
  virtual Status publish_loan(std::uint64_t ticket, std::size_t size) = 0;
  virtual void give_up(std::uint64_t ticket) noexcept = 0;
  virtual bool is_inherited() const noexcept = 0;
  virtual const std::string& name() const noexcept = 0;
};

}  // namespace strait::handle
