#pragma once
// WaitPolicy, OpenOptions, RingOptions, Participant, open_or_create.
#include <strait/core/options.hpp>
