#include "../peers/iceoryx.hpp"
#include "registry.hpp"

namespace strait::bench {

void add_iceoryx(Registry& registry) {
  add_one_way<Iceoryx>(registry);
  add_blocks<Iceoryx>(registry, large_blocks);
  add_blocks<Iceoryx>(registry, small_blocks);
  add_in_place<Iceoryx>(registry, large_blocks);
  add_round_trip<Iceoryx>(registry);
}

}  // namespace strait::bench
