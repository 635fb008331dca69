// Every death point of the headers has a test that bears its words, and every such test a point.

#include "crash.hpp"

#include <strait/core/config.hpp>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace strait::test;
using namespace strait::test::crash;

static_assert(strait::core::death_points, "this program is built with STRAIT_DEATH_POINTS");

namespace {

std::filesystem::path headers() { return std::filesystem::path(__FILE__).parent_path() / "../../include/strait"; }

// Letters and digits only, so that a note with a semicolon and a test without one agree.
std::string bare(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

// Each `death_point("name")`, with the `// DEATH here:` note that ends on the line above it, if one does.
std::map<std::string, std::string> points_in_headers() {
  std::map<std::string, std::string> points;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(headers())) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file(entry.path());
    std::string note;
    for (std::string line; std::getline(file, line);) {
      constexpr std::string_view mark = "// DEATH here:";
      constexpr std::string_view call = "death_point(\"";
      const auto text = line.find_first_not_of(' ');
      if (const auto at = line.find(mark); at != std::string::npos) {
        note = line.substr(at + mark.size());
      } else if (const auto point = line.find(call); point != std::string::npos) {
        const auto from = point + call.size();
        points[line.substr(from, line.find('"', from) - from)] = note;
        note.clear();
      } else if (!note.empty() && text != std::string::npos && line.compare(text, 2, "//") == 0) {
        note += line.substr(text + 2);
      } else {
        note.clear();
      }
    }
  }
  return points;
}

}  // namespace

TEST_CASE("every death point in the headers is shown by a test in the words of its note, and no test shows one that is not there") {
  if (!std::filesystem::exists(headers())) {
    WARN("skipped: the headers are not where this program was built");
    return;
  }
  const auto points = points_in_headers();
  std::set<std::string> shown;
  for (const Shown& test : all_shown()) {
    INFO(test.point << ": " << test.words);
    const auto found = points.find(test.point);
    CHECK(found != points.end());
    if (found == points.end()) continue;
    shown.insert(test.point);
    INFO("the note: " << found->second);
    if (!found->second.empty()) CHECK(bare(found->second) == bare(test.words));
  }
  for (const auto& [point, note] : points) {
    INFO(point << ": " << note);
    CHECK(shown.contains(point));
  }
}

TEST_CASE("nothing but a segment's creation time, which is for people, comes from the wall clock, so setting it changes nothing") {
  if (!std::filesystem::exists(headers())) {
    WARN("skipped: the headers are not where this program was built");
    return;
  }
  int uses = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(headers())) {
    if (entry.path().extension() != ".hpp") continue;
    const bool clock = entry.path().filename() == "clock.hpp";
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      line = line.substr(0, line.find("//"));
      INFO(entry.path().filename().string() << ": " << line);
      for (const char* word : {"system_clock", "CLOCK_REALTIME", "gettimeofday", "std::time(", "::time(", "utc_clock", "high_resolution_clock"}) {
        CHECK((clock || line.find(word) == std::string::npos));
      }
      if (!clock && line.find("wall_clock(") != std::string::npos) {
        ++uses;
        CHECK(line.find("created_at =") != std::string::npos);
      }
      // What is read of it is shown, not compared.
      if (line.find("created_at") != std::string::npos && line.find("created_at =") == std::string::npos) {
        CHECK(line.find_first_of("<>-") == std::string::npos);
      }
    }
  }
  CHECK(uses == 1);
}
