// Draws the pictures of layout.md from the layout headers themselves: draw <folder>. A test compares what it draws with what is in
// the folder; the CMake target `draw` draws anew after a change.

#include <strait/layout/control.hpp>
#include <strait/layout/node.hpp>
#include <strait/layout/node_word.hpp>
#include <strait/layout/seat.hpp>
#include <strait/layout/segment_header.hpp>
#include <strait/layout/segment_plan.hpp>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace strait::layout;

std::string number(std::uint64_t value) { return std::to_string(value); }

class Picture {
 public:
  Picture(int width, int height, const std::string& title) {
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) + "\" height=\"" + std::to_string(height) +
           "\" viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(height) +
           "\" font-family=\"sans-serif\" font-size=\"13\">\n<title>" + title +
           "</title>\n<defs><marker id=\"arrow\" markerWidth=\"9\" markerHeight=\"9\" refX=\"7\" refY=\"4\" orient=\"auto\">"
           "<path d=\"M0,0 L8,4 L0,8 z\" fill=\"#444\"/></marker></defs>\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  }

  void box(int x, int y, int width, int height, const std::string& label, const std::string& below = "", const char* fill = "#e8f0fa") {
    svg_ += "<rect x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" + std::to_string(width) + "\" height=\"" +
            std::to_string(height) + "\" fill=\"" + fill + "\" stroke=\"#345\"/>\n";
    const int middle = y + height / 2 + 5;
    text(x + width / 2, below.empty() ? middle : middle - 9, label, "middle");
    if (!below.empty()) text(x + width / 2, middle + 9, below, "middle", "#567");
  }

  void text(int x, int y, const std::string& what, const char* anchor = "start", const char* color = "#123") {
    svg_ += "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" text-anchor=\"" + anchor + "\" fill=\"" + color + "\">" + what +
            "</text>\n";
  }

  // A path of SVG's own language, with an arrow at its end.
  void arrow(const std::string& path, bool dashed = false) {
    svg_ += "<path d=\"" + path + "\" fill=\"none\" stroke=\"#444\" marker-end=\"url(#arrow)\"" + (dashed ? " stroke-dasharray=\"5 4\"" : "") + "/>\n";
  }

  void save(const std::string& file) const { std::ofstream(file, std::ios::binary) << svg_ << "</svg>\n"; }

 private:
  std::string svg_;
};

void draw_segment(const std::string& folder) {
  constexpr std::uint32_t seats = 64;
  const auto plan = strait::layout::plan(Shape{Kind::ring, 112, 8, 1, 0}, seats).value();
  Picture picture(760, 130, "A segment");
  struct Part {
    int width;
    std::string label, below;
    std::uint64_t offset;
  };
  const std::vector<Part> parts = {
      {170, "SegmentHeader", number(header_size) + " bytes", 0},
      {210, "SeatLine[" + number(seats) + "]", number(sizeof(SeatLine)) + " bytes each", header_size},
      {150, "ControlBlock", number(sizeof(ControlBlock)) + " bytes", plan.control_offset},
      {190, "payload", "here 8 nodes of " + number(node_stride(112).value()) + " bytes", plan.payload_offset},
  };
  int x = 20;
  for (const Part& part : parts) {
    picture.text(x, 28, number(part.offset), "middle", "#567");
    picture.box(x, 38, part.width, 56, part.label, part.below);
    x += part.width;
  }
  picture.text(x, 28, number(plan.segment_size), "middle", "#567");
  picture.text(20, 118, "Offsets of a ring with " + number(seats) + " seats and 8 nodes for messages of up to 112 bytes.", "start", "#567");
  picture.save(folder + "/segment.svg");
}

void draw_control(const std::string& folder) {
  struct Line {
    std::size_t offset;
    const char* what;
  };
  const std::vector<Line> lines = {
      {offsetof(ControlBlock, closed), "closed, sharing of the two sides, creation time, owner"},
      {offsetof(ControlBlock, signals) + 0 * sizeof(SignalLine), "signal: readers of a ring sleep here"},
      {offsetof(ControlBlock, signals) + 1 * sizeof(SignalLine), "signal: writers of a ring sleep here"},
      {offsetof(ControlBlock, signals) + 2 * sizeof(SignalLine), "signal: the lock became free"},
      {offsetof(ControlBlock, signals) + 3 * sizeof(SignalLine), "signal: a reader of the lock left"},
      {offsetof(ControlBlock, given_back), "how many messages were given back; the last look at the dead"},
      {offsetof(ControlBlock, lock), "lock word: the writer's seat, abandoned"},
      {offsetof(ControlBlock, writer_side), "who owns an exclusive side"},
  };
  Picture picture(560, 40 + 34 * static_cast<int>(lines.size()), "The control block");
  int y = 20;
  for (const Line& line : lines) {
    picture.text(60, y + 22, number(line.offset), "end", "#567");
    picture.box(75, y, 465, 34, line.what);
    y += 34;
  }
  picture.save(folder + "/control.svg");
}

void draw_node(const std::string& folder) {
  Picture picture(760, 240, "A node and its word");
  picture.text(20, 28, number(offsetof(Node, word)), "middle", "#567");
  picture.box(20, 38, 150, 50, "word", number(sizeof(Node::word)) + " bytes");
  picture.text(170, 28, number(offsetof(Node, length)), "middle", "#567");
  picture.box(170, 38, 100, 50, "length", number(sizeof(Node::length)) + " bytes");
  picture.text(270, 28, number(offsetof(Node, reserved)), "middle", "#567");
  picture.box(270, 38, 100, 50, "reserved", number(sizeof(Node::reserved)) + " bytes", "#f2f2f2");
  picture.text(370, 28, number(node_header_size), "middle", "#567");
  picture.box(370, 38, 360, 50, "payload", "to the end of the stride, a multiple of " + number(cache_line));

  constexpr unsigned phase_bits = 16 - seat_bits;
  picture.arrow("M95,88 L95,120");
  picture.text(20, 132, "63", "start", "#567");
  picture.box(20, 140, 430, 50, "lap", "48 bits: position = lap x N + the node's place", "#eaf6ea");
  picture.box(450, 140, 110, 50, "phase", number(phase_bits) + " bits", "#eaf6ea");
  picture.box(560, 140, 170, 50, "seat", number(seat_bits) + " bits, " + number(nobody) + ": nobody", "#eaf6ea");
  picture.text(730, 132, "0", "end", "#567");
  picture.text(20, 218, "One compare-and-swap takes the node and says who took it: no moment at which it is nobody's.", "start", "#567");
  picture.save(folder + "/node.svg");
}

void draw_states(const std::string& folder) {
  Picture picture(760, 400, "The states of a node");
  const char* idle = "#e8f0fa";
  const char* held = "#fdf0dc";
  picture.box(30, 150, 130, 56, "free(p)", "phase " + number(static_cast<std::uint64_t>(Phase::free)), idle);
  picture.box(310, 50, 140, 56, "claimed(p, seat)", "phase " + number(static_cast<std::uint64_t>(Phase::claimed)), held);
  picture.box(580, 150, 150, 56, "published(p)", "phase " + number(static_cast<std::uint64_t>(Phase::published)), idle);
  picture.box(310, 250, 140, 56, "reading(p, seat)", "phase " + number(static_cast<std::uint64_t>(Phase::reading)), held);
  picture.box(580, 50, 150, 56, "skipped(p)", "phase " + number(static_cast<std::uint64_t>(Phase::skipped)), idle);

  picture.arrow("M95,150 Q140,80 308,78");
  picture.text(120, 92, "claim", "start");
  picture.arrow("M430,106 Q470,170 578,174");
  picture.text(440, 150, "publish", "end");
  picture.arrow("M450,86 L578,86");
  picture.text(512, 80, "abandon, mend", "middle");
  picture.arrow("M655,206 Q620,285 452,288");
  picture.text(622, 268, "take", "start");
  picture.arrow("M450,262 Q540,250 600,208", true);
  picture.text(505, 232, "put back, mend", "end");
  picture.arrow("M310,278 Q150,278 95,208");
  picture.text(120, 262, "release", "end");
  picture.text(60, 280, "to free(p + N)", "middle", "#567");
  picture.arrow("M655,50 Q520,8 400,48", true);
  picture.text(520, 18, "claim, one lap later: claimed(p + N, seat)", "middle");
  picture.text(30, 340, "Orange: somebody's, and his seat stands in the word. If he dies there, whoever waits for the node mends it.", "start", "#567");
  picture.text(30, 362, "Exclusive sides, with one message in hand, go from free to published and from published to free(p + N) at once:", "start", "#567");
  picture.text(30, 382, "a death in between leaves nothing to mend.", "start", "#567");
  picture.save(folder + "/states.svg");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  draw_segment(argv[1]);
  draw_control(argv[1]);
  draw_node(argv[1]);
  draw_states(argv[1]);
}
