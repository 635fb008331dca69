// A chat: everybody publishes and subscribes. Who joins and who leaves is seen, also when they are killed.

#include <strait/publisher.hpp>
#include <strait/subscriber.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace {

// What is published: the name, a line break, and the line; without a line it only says who is there.
std::string name_in(std::string_view message) { return std::string(message.substr(0, message.find('\n'))); }

class Screen {
 public:
  void print(const std::string& line) {
    const std::lock_guard lock(mutex_);
    std::cout << line << std::endl;
  }

  // The first message of a publisher tells its name.
  void heard(std::uint64_t publisher, std::string_view message) {
    const auto [known, is_new] = note(publisher, name_in(message));
    if (is_new) print("* " + known + " is here");
    if (const auto line = message.find('\n'); line != std::string_view::npos) print(known + ": " + std::string(message.substr(line + 1)));
  }

  void left(std::uint64_t publisher) {
    const auto name = forget(publisher);
    if (!name.empty()) print("* " + name + " has left");
  }

 private:
  std::pair<std::string, bool> note(std::uint64_t publisher, std::string name) {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = names_.try_emplace(publisher, std::move(name));
    return {place->second, is_new};
  }
  std::string forget(std::uint64_t publisher) {
    const std::lock_guard lock(mutex_);
    const auto node = names_.extract(publisher);
    return node ? node.mapped() : std::string();
  }

  std::mutex mutex_;
  std::map<std::uint64_t, std::string> names_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::cerr << "usage: strait-example-chat NAME [TOPIC]\n";
    return 2;
  }
  const std::string name = argv[1];
  const std::string topic = argc > 2 ? argv[2] : "strait-example-chat";

  Screen screen;
  strait::Subscriber subscriber(topic);
  strait::Publisher publisher(topic);
  const std::uint64_t own = publisher.id();

  // Whoever comes is told who we are.
  const auto coming = publisher.on_connect([&](const strait::Participant&) { static_cast<void>(publisher.publish(name)); });
  std::thread listener([&] {
    for (;;) {
      const auto message = subscriber.receive(strait::forever);
      if (!message) return;
      if (message.publisher != own) {
        screen.heard(message.publisher, {reinterpret_cast<const char*>(message.data.data()), message.data.size()});
      }
    }
  });
  {
    const auto going = subscriber.on_disconnect([&](const strait::Participant& one) { screen.left(one.id); });
    for (std::string line; std::getline(std::cin, line);) {
      if (publisher.publish(std::array<std::string, 3>{name, "\n", line}) != strait::Status::ok) screen.print("(nobody made room for that line)");
    }
  }
  publisher.close();
  subscriber.close();
  listener.join();
} catch (const std::exception& error) {
  std::cerr << "chat: " << error.what() << '\n';
  return 1;
}
