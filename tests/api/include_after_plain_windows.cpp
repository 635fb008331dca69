// Strait before <windows.h>, with all its macros.

#include <strait/strait.hpp>
#include <windows.h>

int use_after_plain(const char* name) {
  strait::CircularBuffer ring(name, 4, 64);
  strait::SharedArray<double> array(std::string(name) + "-array", 8);
  array[0] = 1;
  return ring.write(static_cast<int>(::GetCurrentProcessId()), strait::no_wait) == strait::Status::ok ? 1 : 0;
}
