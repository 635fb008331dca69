#pragma once
// The Shareable concept and share_name.
#include <strait/core/shareable.hpp>
