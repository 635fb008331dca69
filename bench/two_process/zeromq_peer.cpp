#include "../peers/zeromq.hpp"
#include "registry.hpp"

namespace strait::bench {

void add_zeromq(Registry& registry) {
  add_one_way<ZeroMq>(registry);
  add_many<ZeroMq>(registry);
  add_blocks<ZeroMq>(registry, large_blocks);
  add_blocks<ZeroMq>(registry, small_blocks);
  add_round_trip<ZeroMq>(registry);
  add_parked_round_trip<ZeroMq>(registry);
}

}  // namespace strait::bench
