// expect: (use of deleted function|implicitly-deleted|deleted constructor)
#include <strait/circular_buffer.hpp>

strait::CircularBuffer refused(const strait::CircularBuffer& ring) { return ring; }
