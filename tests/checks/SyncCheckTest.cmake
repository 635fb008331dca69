# What the check of the sync points must notice.

cmake_minimum_required(VERSION 3.23...3.31)
include("${CMAKE_CURRENT_LIST_DIR}/broken_trees.cmake")
clean_tree()

header(ring/a.hpp "// SYNC payload: stored before.\nword.store(f[1], std::memory_order_release);\nword.load(std::memory_order_relaxed);")
header(ring/b.hpp "word.load(std::memory_order::acquire);  // SYNC payload: read after.\nx[0] = {1; 2};")
expect_pass(SyncCheck "a pair")

header(ring/a.hpp "// SYNC payload, sleep: one comment, two names.\nword.exchange(1, std::memory_order_seq_cst);")
header(wait/b.hpp "// SYNC payload: here. SYNC sleep: and here.\n// and a second line\nword.exchange(1, std::memory_order_acq_rel);")
expect_pass(SyncCheck "two names in one comment")

header(ring/a.hpp "// std::memory_order_release is only talked about")
expect_pass(SyncCheck "a comment")

header(ring/a.hpp "// SYNC payload: stored before.\nword.store(1, std::memory_order_release);")
expect_problem(SyncCheck "a name on one side" "ring/a.hpp:2: SYNC payload has no partner")

header(ring/a.hpp "word.store(1, std::memory_order_release);")
expect_problem(SyncCheck "an order without a name" "ring/a.hpp:2: no SYNC comment within 3 lines: word.store")

header(ring/a.hpp "word.load(std::memory_order::seq_cst);")
expect_problem(SyncCheck "an order in the enum's spelling" "ring/a.hpp:2: no SYNC comment")

header(ring/a.hpp "// SYNC payload: one.\n// SYNC payload: two.\n\n\n\nword.store(1, std::memory_order_release);")
expect_problem(SyncCheck "a name too far away" "ring/a.hpp:7: no SYNC comment")

expect_problem(SyncCheck "an empty tree" "no headers")
