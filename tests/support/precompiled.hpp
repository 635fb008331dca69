#pragma once
// What nearly every test includes, for builds with STRAIT_PRECOMPILE.

#include "catch.hpp"

#include <strait/strait.hpp>
