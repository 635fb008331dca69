#include <strait/strait.hpp>

#include <cstddef>
#include <string>

std::size_t length_of(const std::string& name) { return strait::SharedArray<int>(name).size(); }
