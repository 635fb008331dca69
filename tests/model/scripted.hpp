#pragma once
// Actors that follow scripts, a letter for each thing they do, each a process of its own.

#include "scheduler.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace strait::model {

// Before what another actor can notice, and is no word.
inline void step(const char* what) {
  scheduler.step();
  if (scheduler.tracing()) scheduler.note(what);
}
inline bool saw(bool value) {
  scheduler.saw(value ? 3 : 2);
  return value;
}

struct ScriptedActor {
  std::string_view script;
  bool may_die = false;
};

struct ScriptedScenario {
  std::string name;
  std::vector<ScriptedActor> actors;
  int deaths = 0;
};

class ScriptedModel : public Model {
 public:
  explicit ScriptedModel(const ScriptedScenario& scenario) : scenario_(scenario) {}

  int actor_count() const override { return static_cast<int>(scenario_.actors.size()); }
  int party_of(int actor) const override { return actor; }
  bool may_die(int actor) const override { return of(actor).may_die; }

 protected:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  const ScriptedActor& of(int actor) const { return scenario_.actors[at(actor)]; }

 private:
  const ScriptedScenario& scenario_;
};

}  // namespace strait::model
