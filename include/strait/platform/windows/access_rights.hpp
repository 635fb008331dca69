#pragma once
// OpenOptions::permissions, a file mode as on POSIX, as access rights of a kernel object. 0600 is what every object of a user has
// anyway: that user and the system. "Group" is everybody with an account on this machine, "others" is everybody.

#include <strait/core/config.hpp>

#if STRAIT_WINDOWS

#include <strait/core/error.hpp>
#include <strait/platform/windows/api.hpp>

#include <boost/interprocess/permissions.hpp>

#include <string>

namespace strait::platform::windows {

// For which kind of object: reading and writing are rights of memory; whoever may do either may sleep and wake.
enum class Purpose { memory, waiting };

class AccessRights {
 public:
  AccessRights(const std::string& name, unsigned mode, Purpose purpose) {
    if ((mode & 0077) == 0) return;
    const std::string text = descriptor(mode, purpose);
    constexpr unsigned long revision = 1;
    if (::ConvertStringSecurityDescriptorToSecurityDescriptorA(text.c_str(), revision, &attributes_.descriptor, nullptr) == 0) {
      throw Error(Errc::permission_denied, name, "the system does not make access rights of these permissions (" + text + ")");
    }
  }
  AccessRights(const AccessRights&) = delete;
  AccessRights& operator=(const AccessRights&) = delete;
  ~AccessRights() {
    if (attributes_.descriptor != nullptr) ::LocalFree(attributes_.descriptor);
  }

  // Null: the user's default.
  _SECURITY_ATTRIBUTES* get() noexcept { return attributes_.descriptor != nullptr ? reinterpret_cast<_SECURITY_ATTRIBUTES*>(&attributes_) : nullptr; }
  boost::interprocess::permissions as_boost() noexcept { return boost::interprocess::permissions(get()); }

  // In the language of security descriptors: owner, system, users, everyone.
  static std::string descriptor(unsigned mode, Purpose purpose) {
    return "D:(A;;GA;;;OW)(A;;GA;;;SY)" + entry("BU", mode >> 3 & 7, purpose) + entry("WD", mode & 7, purpose);
  }

 private:
  static std::string entry(const char* who, unsigned bits, Purpose purpose) {
    std::string rights;
    if (purpose == Purpose::waiting) {
      if ((bits & 6) != 0) rights = "GA";
    } else {
      if ((bits & 4) != 0) rights += "GR";
      if ((bits & 2) != 0) rights += "GW";
    }
    return rights.empty() ? rights : "(A;;" + rights + ";;;" + who + ")";
  }

  struct Attributes {  // as the system's SECURITY_ATTRIBUTES
    unsigned long size = sizeof(Attributes);
    void* descriptor = nullptr;
    int inherit = 0;
  };
  Attributes attributes_;
};

}  // namespace strait::platform::windows

#endif
