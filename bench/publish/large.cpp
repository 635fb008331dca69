#include "../limits/memcpy_pipeline.hpp"
#include "../two_process/bandwidth.hpp"
#include "cases.hpp"
#include "strait_topic.hpp"

namespace strait::bench {

namespace {

Plan for_blocks(Plan plan) {
  plan.first_count = 2 * large_blocks.nodes;
  plan.multiple = 16;
  return plan;
}

}  // namespace

Phases large_topic(const Plan& plan, const Cpus& cpus, std::chrono::seconds deadline) {
  return run_in_place<StraitTopic>(large_blocks, for_blocks(plan), cpus, deadline);
}

Phases large_limit(const Plan& plan, const Cpus& cpus, std::chrono::seconds deadline) {
  return run_in_place<MemcpyPipeline<1>>(large_blocks, for_blocks(plan), cpus, deadline);
}

}  // namespace strait::bench
