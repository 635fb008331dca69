#include "../two_process/one_way.hpp"
#include "../two_process/strait_ring.hpp"
#include "cases.hpp"

namespace strait::bench {

Phases small_ring(const Plan& plan, const Cpus& cpus, std::chrono::seconds deadline) {
  return run_one_to_one<StraitRing<Sharing::one, Waiting::polls>>(small_messages, plan, cpus, deadline);
}

}  // namespace strait::bench
