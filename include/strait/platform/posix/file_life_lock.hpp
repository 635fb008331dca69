#pragma once
// The life of a segment where the system has no locks on bytes that die with their holder: flock on two files beside it.

#include <strait/core/config.hpp>

#if STRAIT_FALLBACK

#include <strait/platform/posix/lock_file.hpp>
#include <strait/platform/posix/shared_object.hpp>
#include <strait/platform/posix/two_file_lock.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace strait::platform {

class LifeLock : public TwoFileLock<LockFile> {
 public:
  LifeLock() = default;
  LifeLock(const SharedObject&, std::string name, std::int64_t) : TwoFileLock(std::move(name)) {}
};

}  // namespace strait::platform

#endif
