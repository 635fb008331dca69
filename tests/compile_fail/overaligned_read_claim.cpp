// expect: a node's bytes are aligned to 8
#include <strait/circular_buffer.hpp>

struct alignas(16) Wide {
  double values[2];
};

double refused(const strait::ReadClaim& claim) { return claim.as<Wide>().values[0]; }
