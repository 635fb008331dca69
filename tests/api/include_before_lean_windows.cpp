// Strait after <windows.h>, with NOMINMAX and WIN32_LEAN_AND_MEAN.

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <strait/strait.hpp>

#include "each_class.hpp"

int use_before_lean(const char* name) { return use_each_class(name); }
