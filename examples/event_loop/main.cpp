// A ring in an event loop: Boost.Asio watches the ring's descriptor beside a timer, and no thread of the program waits for a message.
//
// Without an argument it makes the ring and prints what comes; with words it writes each of them.

#include <strait/circular_buffer.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto name = "strait-example-event-loop";

// Prints each message, until one says "bye".
class Receiver {
 public:
  // Asio closes what it watches, so it gets a copy of the descriptor.
  Receiver(asio::io_context& loop, strait::CircularBuffer& ring) : loop_(loop), ring_(ring), readable_(loop, ::dup(ring.readable_fd())) { wait(); }

 private:
  void wait() {
    readable_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
      if (!error && take_all()) wait();
    });
  }

  // Until there is nothing more: only then is the descriptor readable again when the next message comes.
  bool take_all() {
    std::string message;
    for (;;) {
      const strait::Status status = ring_.read_with(
          [&](std::span<const std::byte> bytes) { message.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }, strait::no_wait);
      if (status == strait::Status::timed_out) return true;
      if (status != strait::Status::ok || message == "bye") {
        loop_.stop();
        return false;
      }
      std::cout << "message: " << message << std::endl;
    }
  }

  asio::io_context& loop_;
  strait::CircularBuffer& ring_;
  asio::posix::stream_descriptor readable_;
};

void tick(asio::steady_timer& timer) {
  timer.expires_after(500ms);
  timer.async_wait([&timer](const boost::system::error_code& error) {
    if (error) return;
    std::cout << "tick" << std::endl;
    tick(timer);
  });
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 1) {
    strait::CircularBuffer ring(name);
    for (int i = 1; i < argc; ++i) {
      if (ring.write(std::string(argv[i]), 10s) != strait::Status::ok) throw std::runtime_error("nobody reads");
    }
    return 0;
  }
  asio::io_context loop;
  strait::CircularBuffer ring(name, 16, 1000);
  const Receiver receiver(loop, ring);
  asio::steady_timer timer(loop);
  tick(timer);
  std::cout << "ready" << std::endl;
  loop.run();
} catch (const std::exception& error) {
  std::cerr << "event_loop: " << error.what() << '\n';
  return 1;
}
