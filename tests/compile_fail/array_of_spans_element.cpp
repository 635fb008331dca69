// expect: no_view_so_pass_the_elements_it_refers_to
#include <strait/shared_array.hpp>

#include <array>
#include <span>

void refused() { strait::SharedArray<std::array<std::span<int>, 2>> array("name", 4); }
