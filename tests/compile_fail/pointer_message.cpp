// expect: no matching (member )?function for call to
// expect: no_pointer_so_share_an_index_or_offset_instead
#include <strait/circular_buffer.hpp>

void refused(strait::CircularBuffer& ring, int* pointer) { static_cast<void>(ring.write(pointer)); }
