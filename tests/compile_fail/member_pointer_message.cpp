// expect: no_pointer_so_share_an_index_or_offset_instead
#include <strait/shareable.hpp>

struct Item {
  int value;
};

template <strait::Shareable T>
void share(const T&) {}

void refused() { share(&Item::value); }
