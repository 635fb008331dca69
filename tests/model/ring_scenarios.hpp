#pragma once
// The rings that are explored. Letters of the scripts: ring_model.hpp.

#include "ring_model.hpp"

#include <vector>

namespace strait::model {

inline constexpr Role W = Role::writer;
inline constexpr Role R = Role::reader;
inline constexpr Role C = Role::closer;
inline constexpr bool dies = true;

// Nobody dies: every park is for ever, a lost wake-up is a dead-lock.
inline std::vector<RingScenario> undisturbed() {
  return {
      {"2 writers (one abandons), 1 reader, 2 nodes", 2, false, false, {{0, W, "wa"}, {1, W, "ww"}, {2, R, "*"}}},
      {"1 writer, 2 readers (one puts back), 2 nodes", 2, false, false, {{0, W, "www"}, {1, R, "b*"}, {2, R, "*"}}},
      {"2 writers (one abandons), 1 reader, 3 nodes", 3, false, false, {{0, W, "waw"}, {1, W, "ww"}, {2, R, "*"}}},
      {"1 writer, 2 readers (one puts back), 3 nodes", 3, false, false, {{0, W, "wwww"}, {1, R, "rb*"}, {2, R, "*"}}},
      {"2 writers that hold two claims each, 1 reader, 3 nodes", 3, false, false, {{0, W, "d"}, {1, W, "Dw"}, {2, R, "*"}}},
      {"1 writer, 1 reader that holds two messages, 2 nodes", 2, false, false, {{0, W, "wwww"}, {1, R, "dB*"}}},
      {"2 writers, 2 readers of one message each, 2 nodes", 2, false, false, {{0, W, "w"}, {1, W, "w"}, {2, R, "r"}, {3, R, "r"}}},
      {"2 writers that abandon, no reader, 2 nodes", 2, false, false, {{0, W, "aw"}, {1, W, "aw"}}},
      {"1 writer, a reader that puts back and goes, another, 2 nodes", 2, false, false, {{0, W, "ww"}, {1, R, "b"}, {2, R, "*"}}},
      {"1 writer, a reader that puts back twice and goes, another, 2 nodes", 2, false, false, {{0, W, "w"}, {1, R, "bh"}, {2, R, "*"}}},
      {"1 writer, 2 readers, both put back, 2 nodes", 2, false, false, {{0, W, "ww"}, {1, R, "b*"}, {2, R, "b*"}}},
  };
}

inline std::vector<RingScenario> exclusive() {
  return {
      {"one writer with two and three claims, one reader with two takes, 2 nodes", 2, true, true, {{0, W, "wadtw"}, {1, R, "dBr*"}}},
      {"one writer with two and three claims, one reader with three takes, 3 nodes", 3, true, true, {{0, W, "tDwa"}, {1, R, "tBb*"}}},
      {"one writer with two claims, 2 readers, 2 nodes", 2, true, false, {{0, W, "aDdw"}, {1, R, "b*"}, {2, R, "*"}}},
      {"one writer with three claims, 2 readers, 3 nodes", 3, true, false, {{0, W, "ta"}, {1, R, "r*"}, {2, R, "d*"}}},
      {"2 writers, one reader with two takes, 2 nodes", 2, false, true, {{0, W, "wa"}, {1, W, "ww"}, {2, R, "bdB*"}}},
      {"2 writers, one reader with three takes, 3 nodes", 3, false, true, {{0, W, "aw"}, {1, W, "dw"}, {2, R, "tB*"}}},
  };
}

inline std::vector<RingScenario> closing() {
  return {
      {"close: 2 writers, 1 reader, 2 nodes", 2, false, false, {{0, W, "ww"}, {1, W, "w"}, {2, R, "*"}, {3, C, "C"}}},
      {"close: 1 writer, 2 readers (one puts back), 2 nodes", 2, false, false, {{0, W, "ww"}, {1, R, "b*"}, {2, R, "*"}, {3, C, "C"}}},
      {"close: 2 writers that fill the ring, no reader, 2 nodes", 2, false, false, {{0, W, "wwa"}, {1, W, "ww"}, {2, C, "C"}}},
      {"close: one writer with two claims, 1 reader, 2 nodes", 2, true, false, {{0, W, "wdw"}, {1, R, "*"}, {2, C, "C"}}},
      {"close: one writer, 2 readers, 2 nodes", 2, true, false, {{0, W, "ww"}, {1, R, "b*"}, {2, R, "*"}, {3, C, "C"}}},
      {"close: one writer, one reader with two takes, 2 nodes", 2, true, true, {{0, W, "wdw"}, {1, R, "dB*"}, {2, C, "C"}}},
      {"close: 2 writers, one reader with two takes, 3 nodes", 3, false, true, {{0, W, "wa"}, {1, W, "w"}, {2, R, "B*"}, {3, C, "C"}}},
  };
}

// The same rings where publish and release are stores that others see late, and sleepers fence for everybody.
inline std::vector<RingScenario> late(std::vector<RingScenario> scenarios) {
  for (RingScenario& one : scenarios) {
    one.late_stores = true;
    one.name = "late stores: " + one.name;
  }
  return scenarios;
}

// Two threads share a handle, and with it both cursors.
inline std::vector<RingScenario> shared_handle() {
  return {
      {"2 threads of a reading handle, one puts back", 2, false, false, {{0, W, "ww"}, {1, R, "b*"}, {1, R, "*"}}},
      {"2 threads of a reading handle, another handle puts back", 2, false, false, {{0, W, "ww"}, {1, R, "*"}, {1, R, "*"}, {2, R, "b"}}},
      {"2 threads of a reading handle that hold a message each, put back", 3, false, false, {{0, W, "www"}, {1, R, "B*"}, {1, R, "b*"}}},
      {"2 threads of a reading handle, another puts back two messages", 2, false, false, {{0, W, "ww"}, {1, R, "*"}, {1, R, "*"}, {2, R, "H"}}},
      {"2 threads of a writing handle, one abandons", 2, false, false, {{0, W, "wa"}, {0, W, "ww"}, {1, R, "*"}}},
      {"2 threads of a reading handle, another handle dies with a message", 2, false, false, {{0, W, "w"}, {1, R, "*"}, {1, R, "*"}, {2, R, "r", dies}}, 1},
      {"a handle whose threads write and read dies", 2, false, false, {{0, W, "w", dies}, {0, R, "r", dies}, {1, W, "w"}, {1, R, "*"}}, 1},
  };
}

// One death, at every step.
inline std::vector<RingScenario> one_death() {
  return {
      {"any of 1 writer, 2 readers dies, 2 nodes", 2, false, false, {{0, W, "ww", dies}, {1, R, "*", dies}, {2, R, "*"}}, 1},
      {"any of 2 writers dies, 1 reader, 2 nodes", 2, false, false, {{0, W, "w", dies}, {1, W, "aw", dies}, {2, R, "*"}}, 1},
      {"a reader dies that puts back, 2 nodes", 2, false, false, {{0, W, "ww"}, {1, R, "bb*", dies}, {2, R, "*"}}, 1},
      {"a writer dies that abandons, 3 nodes", 3, false, false, {{0, W, "aww", dies}, {1, W, "w"}, {2, R, "*"}}, 1},
      {"a reader dies, 3 nodes", 3, false, false, {{0, W, "wwww"}, {1, R, "*", dies}, {2, R, "*"}}, 1, 0, 2},
      {"a writer or a reader with two nodes in its hands dies, 3 nodes", 3, false, false, {{0, W, "dw", dies}, {1, R, "B*", dies}, {2, R, "*"}}, 1, 0, 2},
      {"a reader dies, a newcomer takes its place, 2 nodes", 2, false, false, {{0, W, "www"}, {1, R, "r*", dies}, {2, R, "n*"}}, 1, 0, 2},
      {"a newcomer dies while it sits down or leaves", 2, false, false, {{0, W, "ww"}, {1, R, "nrl", dies}, {2, R, "*"}}, 1},
      {"a newcomer writes and leaves, another comes", 2, false, false, {{0, W, "nwl", dies}, {1, R, "*"}, {2, W, "nwl"}}, 1},
      {"the newcomer finds only the seat of a dead reader", 2, false, false, {{0, W, "ww"}, {1, R, "r*", dies}, {2, R, "n*"}}, 1, 2},
      {"the newcomer finds only the seat of a dead writer", 2, false, false, {{0, W, "aww", dies}, {1, R, "*"}, {2, W, "nw"}}, 1, 2},
      {"the one writer dies with two claims, a newcomer goes on", 2, true, false, {{0, W, "wdw", dies}, {1, W, "nw"}, {2, R, "*"}}, 1},
      {"the one reader dies with two takes, a newcomer goes on", 2, false, true, {{0, W, "www"}, {1, R, "dB*", dies}, {2, R, "n*"}}, 1},
      {"the one writer or the one reader dies, 3 nodes", 3, true, true, {{0, W, "dDw", dies}, {1, R, "tr", dies}, {2, R, "n*"}}, 1, 0, 2},
      {"close: anybody dies, the closer too", 2, false, false, {{0, W, "w", dies}, {1, R, "*", dies}, {2, R, "*"}, {3, C, "C", dies}}, 1, 0, 2},
      {"close: the one writer, or the closer, dies", 2, true, false, {{0, W, "dw", dies}, {1, R, "*"}, {2, C, "C", dies}}, 1},
  };
}

// The mender of a dead party dies too.
inline std::vector<RingScenario> two_deaths() {
  return {
      {"a reader dies, its mender too", 2, false, false, {{0, W, "w"}, {1, R, "*", dies}, {2, R, "*", dies}, {3, R, "*"}}, 2},
      {"a writer dies, its mender too", 2, false, false, {{0, W, "w", dies}, {1, R, "*", dies}, {2, W, "w"}, {3, R, "*"}}, 2},
      {"a reader dies, the newcomer in its seat too, a second newcomer", 2, false, false, {{0, W, "w"}, {1, R, "r", dies}, {2, R, "nr", dies}, {3, R, "n*"}}, 2, 2},
      {"a reader dies, and the newcomer that takes its seat", 2, false, false, {{0, W, "w"}, {1, R, "r", dies}, {2, R, "nr", dies}, {3, R, "n*"}}, 2},
  };
}

// For schedules drawn at random: too large to be searched.
inline std::vector<RingScenario> large() {
  return {
      {"a reader far behind, a message given back, a newcomer", 2, false, false, {{0, W, "wwww"}, {1, R, "r*", dies}, {2, R, "rr"}, {3, R, "n*"}}, 1},
      {"2 writers, 2 readers, 3 nodes", 3, false, false, {{0, W, "wawdw"}, {1, W, "wDwwt"}, {2, R, "rb*"}, {3, R, "Bd*"}}},
      {"3 writers, 3 readers, 3 nodes, two die", 3, false, false,
       {{0, W, "wwdw", dies}, {1, W, "waww"}, {2, W, "nwl", dies}, {3, R, "b*", dies}, {4, R, "d*", dies}, {5, R, "*"}}, 2},
      {"2 writers, 3 readers, 2 nodes, two die, one comes", 2, false, false,
       {{0, W, "www", dies}, {1, W, "waw"}, {2, R, "b*", dies}, {3, R, "*", dies}, {4, R, "nb*"}}, 2},
      {"two handles of two threads each, close, one dies", 3, false, false,
       {{0, W, "waw", dies}, {0, W, "wdw", dies}, {1, R, "b*"}, {1, R, "B*"}, {2, R, "*"}, {3, C, "C"}}, 1},
      {"one writer dies and is followed, 3 readers, 3 nodes", 3, true, false,
       {{0, W, "wdt", dies}, {1, W, "nDw"}, {2, R, "b*", dies}, {3, R, "*"}, {4, R, "d*"}}, 2},
      {"one reader dies and is followed, 3 writers, 3 nodes", 3, false, true,
       {{0, W, "waw", dies}, {1, W, "dw"}, {2, W, "ww"}, {3, R, "dBt", dies}, {4, R, "n*"}}, 2},
      {"one writer, one reader, both die and are followed, 3 nodes", 3, true, true,
       {{0, W, "wtd", dies}, {1, W, "ndw"}, {2, R, "tBb", dies}, {3, R, "n*"}}, 2},
  };
}

}  // namespace strait::model
