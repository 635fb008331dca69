#include "../peers/iceoryx.hpp"
#include "../two_process/bandwidth.hpp"
#include "../two_process/one_way.hpp"
#include "cases.hpp"

namespace strait::bench {

Phases small_iceoryx(const Plan& plan, const Cpus& cpus, std::chrono::seconds deadline) {
  return run_one_to_one<Iceoryx>(small_messages, plan, cpus, deadline);
}

Phases large_iceoryx(const Plan& plan, const Cpus& cpus, std::chrono::seconds deadline) {
  Plan blocks = plan;
  blocks.first_count = 2 * large_blocks.nodes;
  blocks.multiple = 16;
  return run_in_place<Iceoryx>(large_blocks, blocks, cpus, deadline);
}

}  // namespace strait::bench
