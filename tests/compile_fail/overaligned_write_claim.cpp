// expect: a node's bytes are aligned to 8
#include <strait/circular_buffer.hpp>

struct alignas(16) Wide {
  double values[2];
};

void refused(strait::WriteClaim& claim) { claim.as<Wide>().values[0] = 1; }
