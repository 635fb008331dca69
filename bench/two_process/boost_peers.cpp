#include "../peers/boost_message_queue.hpp"
#include "registry.hpp"

namespace strait::bench {

void add_boost_peers(Registry& registry) {
  add_one_way<BoostMessageQueue<false>>(registry);
  add_one_way<BoostMessageQueue<true>>(registry);
  add_alone<BoostMessageQueue<true>>(registry);
  add_many<BoostMessageQueue<false>>(registry);
  add_many<BoostMessageQueue<true>>(registry);
  add_blocks<BoostMessageQueue<false>>(registry, large_blocks);
  add_blocks<BoostMessageQueue<false>>(registry, small_blocks);
  add_round_trip<BoostMessageQueue<false>>(registry);
  add_parked_round_trip<BoostMessageQueue<false>>(registry);
  add_round_trip<BoostMessageQueue<true>>(registry);
}

}  // namespace strait::bench
