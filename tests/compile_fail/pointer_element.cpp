// expect: no_pointer_so_share_an_index_or_offset_instead
#include <strait/shared_array.hpp>

void refused() { strait::SharedArray<int*> array("name", 4); }
