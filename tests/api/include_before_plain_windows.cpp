// Strait after <windows.h>, with all its macros.

#include <windows.h>
#if __has_include(<bits/stdc++.h>)
#include <bits/stdc++.h>  // GCC's headers take away the macros below; not again, once they are all there
#endif
// As in the headers of the system's own kit.
#undef min
#undef max
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#include <strait/strait.hpp>

int use_before_plain(const char* name) {
  strait::CircularBuffer ring(name, 4, 64);
  strait::SharedArray<double> array(std::string(name) + "-array", 8);
  array[0] = 1;
  return ring.write(static_cast<int>(::GetCurrentProcessId()), strait::no_wait) == strait::Status::ok ? 1 : 0;
}
