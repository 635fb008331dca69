#include "../two_process/one_way.hpp"
#include "cases.hpp"
#include "strait_topic.hpp"

namespace strait::bench {

Phases small_topic(const Plan& plan, const Cpus& cpus, std::chrono::seconds deadline) {
  return run_one_to_one<StraitTopic>(small_messages, plan, cpus, deadline);
}

}  // namespace strait::bench
