// Strait after <windows.h>, with NOMINMAX and WIN32_LEAN_AND_MEAN.

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <strait/strait.hpp>

int use_before_lean(const char* name) {
  strait::CircularBuffer ring(name, 4, 64);
  strait::SharedArray<double> array(std::string(name) + "-array", 8);
  array[0] = 1;
  return ring.write(static_cast<int>(::GetCurrentProcessId()), strait::no_wait) == strait::Status::ok ? 1 : 0;
}
