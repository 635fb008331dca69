# What the layer check must notice.

cmake_minimum_required(VERSION 3.23...3.31)
include("${CMAKE_CURRENT_LIST_DIR}/broken_trees.cmake")
clean_tree()

header(core/config.hpp "#if defined(_WIN32)\n#define STRAIT_WINDOWS 1\n#endif")
header(core/error.hpp "#include <string>\n#include <strait/core/config.hpp>")
header(platform/linux/park.hpp "#if STRAIT_LINUX\n#include <linux/futex.h>\n#include <boost/interprocess/mapped_region.hpp>\n#endif")
header(segment/segment.hpp "#include <strait/liveness/seats.hpp>\n#include <strait/wait/signal.hpp>")
header(shared_array.hpp "#include <strait/segment/segment.hpp>\n#include <strait/options.hpp>")
expect_pass(LayerCheck "a tree in order")

header(core/error.hpp "#include <strait/layout/node.hpp>")
expect_problem(LayerCheck "an edge upwards" "core/error.hpp: core/ may not include <strait/layout/node.hpp>")

header(liveness/repair.hpp "#include <strait/ring/ring.hpp>")
expect_problem(LayerCheck "liveness that knows the ring" "liveness/repair.hpp: liveness/ may not include <strait/ring/ring.hpp>")

header(liveness/repair.hpp "#include <strait/wait/signal.hpp>")
expect_problem(LayerCheck "liveness that knows waiting" "liveness/ may not include <strait/wait/signal.hpp>")

header(platform/linux/park.hpp "#include <strait/layout/control.hpp>")
expect_problem(LayerCheck "a platform that knows a layout" "platform/ may not include <strait/layout/control.hpp>")

header(segment/segment.hpp "#include <strait/options.hpp>")
expect_problem(LayerCheck "a layer that includes a public header" "the public header <strait/options.hpp>")

header(ring/ring.hpp "#include <unistd.h>")
expect_problem(LayerCheck "a system header outside platform/" "ring/ring.hpp: only platform/ may include <unistd.h>")

header(segment/segment.hpp "#include <boost/interprocess/mapped_region.hpp>")
expect_problem(LayerCheck "Boost outside platform/" "only platform/ may include <boost/interprocess/mapped_region.hpp>")

header(shared_array.hpp "  #  include <sys/mman.h>")
expect_problem(LayerCheck "a system header in a public header" "only platform/ may include <sys/mman.h>")

header(ring/ring.hpp "int least(int a, int b) { return std::min(a, b)\\; }")
expect_problem(LayerCheck "a name that <windows.h> makes a macro of" "with parentheses around the name")

header(wait/signal.hpp "#ifdef __linux__\n#endif")
expect_problem(LayerCheck "a condition outside platform/" "wait/signal.hpp: `#ifdef __linux__` belongs in platform/")

header(layout/node.hpp "#define NODE_SIZE 64")
expect_problem(LayerCheck "a macro outside platform/" "layout/node.hpp: `#define NODE_SIZE 64` belongs")

header(ring/ring.hpp "#include \"position.hpp\"")
expect_problem(LayerCheck "a header in quotes" "write <strait/...> instead of \"position.hpp\"")

header(detail/helper.hpp "")
expect_problem(LayerCheck "an unknown folder" "no layer is called detail")

file(WRITE "${work}/strait/core/error.hpp" "#include <string>\n")
expect_problem(LayerCheck "a header without #pragma once" "core/error.hpp: #pragma once is missing")

expect_problem(LayerCheck "an empty tree" "no headers")
