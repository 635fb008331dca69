// expect: trivially_copyable_so_move_its_data_into_a_plain_struct
#include <strait/shared_array.hpp>

#include <string>

void refused() { strait::SharedArray<std::string> array("name", 4); }
