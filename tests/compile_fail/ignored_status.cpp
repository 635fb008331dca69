// expect: (unused-result|discard)
#pragma GCC diagnostic error "-Wunused-result"
#include <strait/circular_buffer.hpp>

void refused(strait::CircularBuffer& ring) { ring.write(1); }
