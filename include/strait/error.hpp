#pragma once
// Errc, Error, Status.
#include <strait/core/error.hpp>
