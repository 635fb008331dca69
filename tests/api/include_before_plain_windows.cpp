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

#include "each_class.hpp"

int use_before_plain(const char* name) { return use_each_class(name); }
