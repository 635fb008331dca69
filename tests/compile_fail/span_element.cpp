// expect: no_view_so_pass_the_elements_it_refers_to
#include <strait/shared_array.hpp>

#include <span>

void refused() { strait::SharedArray<std::span<int>> array("name", 4); }
