// Strait before <windows.h>, with all its macros.

#include <strait/strait.hpp>
#include <windows.h>

#include "each_class.hpp"

int use_after_plain(const char* name) { return use_each_class(name); }
