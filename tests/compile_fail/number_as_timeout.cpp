// expect: no matching (member )?function for call to
#include <strait/circular_buffer.hpp>

void refused(strait::CircularBuffer& ring) { static_cast<void>(ring.write(1, 100)); }
