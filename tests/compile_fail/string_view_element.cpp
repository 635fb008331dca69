// expect: no_view_so_pass_the_elements_it_refers_to
#include <strait/shared_array.hpp>

#include <string_view>

void refused() { strait::SharedArray<std::string_view> array("name", 4); }
