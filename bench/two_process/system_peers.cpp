#include "../peers/pipe_and_sockets.hpp"
#include "../peers/posix_mq.hpp"
#include "registry.hpp"

namespace strait::bench {
namespace {

template <class Subject>
void add_all(Registry& registry) {
  add_one_way<Subject>(registry);
  add_blocks<Subject>(registry, large_blocks);
  add_blocks<Subject>(registry, small_blocks);
  add_round_trip<Subject>(registry);
  add_parked_round_trip<Subject>(registry);
}

}  // namespace

void add_system_peers(Registry& registry) {
  add_all<DescriptorChannel<Descriptors::pipe>>(registry);
  add_many<DescriptorChannel<Descriptors::pipe>>(registry);
  add_all<DescriptorChannel<Descriptors::stream>>(registry);
  add_all<DescriptorChannel<Descriptors::packets>>(registry);
  add_many<DescriptorChannel<Descriptors::packets>>(registry);
  add_all<PosixMessageQueue>(registry);
  add_many<PosixMessageQueue>(registry);
}

}  // namespace strait::bench
