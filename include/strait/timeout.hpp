#pragma once
// Timeout, no_wait, forever.
#include <strait/core/timeout.hpp>
