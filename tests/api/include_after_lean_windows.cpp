// Strait before <windows.h>, with NOMINMAX and WIN32_LEAN_AND_MEAN.

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <strait/strait.hpp>
#include <windows.h>

#include "each_class.hpp"

int use_after_lean(const char* name) { return use_each_class(name); }
