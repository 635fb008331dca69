#include "../limits/memcpy_pipeline.hpp"
#include "../limits/mpmc_ring.hpp"
#include "../limits/ping_pong.hpp"
#include "../limits/spsc_ring.hpp"
#include "registry.hpp"

namespace strait::bench {

void add_limits(Registry& registry) {
  add_one_way<SpscRing<false>>(registry);
  add_one_way<SpscRing<true>>(registry);
  add_one_way<MpmcRing>(registry);
  add_alone<SpscRing<false>>(registry);
  add_alone<SpscRing<true>>(registry);
  add_alone<MpmcRing>(registry);
  add_many<MpmcRing>(registry);

  add_blocks<MemcpyPipeline<1>>(registry, large_blocks);
  add_in_place<MemcpyPipeline<1>>(registry, large_blocks);
  add_blocks<MemcpyPipeline<1>>(registry, small_blocks);
  add_blocks<MemcpyPipeline<16>>(registry, small_blocks);
  add_in_place<MemcpyPipeline<1>>(registry, small_blocks);
  add_in_place<MemcpyPipeline<16>>(registry, small_blocks);

  add_round_trip<SpscRing<false>>(registry);
  add_round_trip<SpscRing<true>>(registry);
  add_bare_round_trip<PingPong<false>>(registry, false);
  add_bare_round_trip<PingPong<true>>(registry, false);
  add_bare_round_trip<PingPong<true>>(registry, true);
}

}  // namespace strait::bench
