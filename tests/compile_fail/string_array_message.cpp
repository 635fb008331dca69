// expect: no matching (member )?function for call to
// expect: trivially_copyable_so_move_its_data_into_a_plain_struct
#include <strait/circular_buffer.hpp>

#include <string>
#include <vector>

void refused(strait::CircularBuffer& ring, const std::vector<std::string>& texts) { static_cast<void>(ring.write(texts)); }
