// Peer: iceoryx. A publisher that waits for its subscriber and a subscriber that is polled, so that nothing is lost. It needs
// its daemon, RouDi: one is started when the first channel is made, and stopped with the last.
//
// Each message reaches every subscriber, not one of them, so there is no workload with two readers. A subscriber's queue holds
// at most 256 messages.

#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/roudi/iceoryx_roudi_app.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <memory>
#include <string>
#include <thread>

#include "../support/subject.hpp"
#include "unique_name.hpp"

namespace strait::bench {

/// The daemon, in a process of its own.
class RouDi {
 public:
  static std::shared_ptr<RouDi> running() {
    static std::weak_ptr<RouDi> current;
    auto daemon = current.lock();
    if (!daemon) current = daemon = std::make_shared<RouDi>();
    return daemon;
  }

  RouDi() : pid_(::fork()) {
    if (pid_ < 0) throw Unavailable("cannot start RouDi");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      const int nowhere = ::open("/dev/null", O_WRONLY);  // it talks on both; our standard output is for results
      ::dup2(nowhere, STDOUT_FILENO);
      ::dup2(nowhere, STDERR_FILENO);
      iox::RouDiConfig_t config;
      iox::mepoo::MePooConfig pools;
      pools.addMemPool({128, 2048});
      pools.addMemPool({1024, 1024});
      pools.addMemPool({1 << 20, 64});
      const auto group = iox::posix::PosixGroup::getGroupOfCurrentProcess().getName();
      config.m_sharedMemorySegments.push_back({group, group, pools});
      iox::config::CmdLineArgs_t arguments;
      arguments.monitoringMode = iox::roudi::MonitoringMode::OFF;
      arguments.logLevel = iox::log::LogLevel::kError;
      iox::roudi::IceOryxRouDiApp daemon(arguments, config);
      ::_exit(daemon.run());
    }
    // Its own answer to "are you there?" is the runtime's to ask; here only: it did not end at once.
    for (int i = 0; i < 50; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) throw Unavailable("RouDi ended at once; is another one running?");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  RouDi(const RouDi&) = delete;
  RouDi& operator=(const RouDi&) = delete;
  ~RouDi() {
    ::kill(pid_, SIGTERM);
    for (int i = 0; i < 500; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

class Iceoryx {
 public:
  static constexpr const char* name = "iceoryx, polling";
  static constexpr Kind kind = Kind::peer;

  explicit Iceoryx(const Shape& shape) : daemon_(RouDi::running()), topic_(unique_name()), nodes_(shape.nodes), bytes_(shape.node_bytes) {
    if (shape.writers != 1 || shape.readers != 1) throw Unavailable("one writer and one reader only");
  }

  class Writer {
   public:
    Writer(Iceoryx& channel, unsigned) : publisher_(channel.service(), options()), bytes_(channel.bytes_) {
      for (int i = 0; i < 1000 && !publisher_.hasSubscribers(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      if (!publisher_.hasSubscribers()) throw std::runtime_error("no subscriber came");
    }
    bool write(const Message& message) {
      return write_block(std::as_bytes(std::span(&message, 1)));
    }
    bool write_block(std::span<const std::byte> from) {
      return fill([from](std::span<std::byte> to) { std::memcpy(to.data(), from.data(), from.size()); });
    }
    template <class F>
    bool fill(F&& f) {
      bool sent = false;
      publisher_.loan(static_cast<std::uint32_t>(bytes_)).and_then([&](void* payload) {
        f(std::span(static_cast<std::byte*>(payload), bytes_));
        publisher_.publish(payload);
        sent = true;
      });
      return sent;
    }

   private:
    static iox::popo::PublisherOptions options() {
      iox::popo::PublisherOptions options;
      options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
      return options;
    }
    iox::popo::UntypedPublisher publisher_;
    std::size_t bytes_;
  };

  class Reader {
   public:
    Reader(Iceoryx& channel, unsigned) : subscriber_(channel.service(), options(channel.nodes_)), bytes_(channel.bytes_) {}
    bool read(Message& message) { return read_block(std::as_writable_bytes(std::span(&message, 1))); }
    bool read_block(std::span<std::byte> to) {
      return consume([to](std::span<const std::byte> from) { std::memcpy(to.data(), from.data(), to.size()); });
    }
    template <class F>
    bool consume(F&& f) {
      bool received = false;
      subscriber_.take().and_then([&](const void* payload) {
        f(std::span(static_cast<const std::byte*>(payload), bytes_));
        subscriber_.release(payload);
        received = true;
      });
      return received;
    }

   private:
    static iox::popo::SubscriberOptions options(std::size_t nodes) {
      iox::popo::SubscriberOptions options;
      options.queueCapacity = std::min<std::uint64_t>(nodes, 256);
      options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
      return options;
    }
    iox::popo::UntypedSubscriber subscriber_;
    std::size_t bytes_;
  };

 private:
  iox::capro::ServiceDescription service() {
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kError, iox::log::LogLevelOutput::kHideLogLevel);
    const std::string runtime = "bench-" + std::to_string(::getpid());
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, runtime));
    return {"strait", "bench", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, topic_)};
  }

  std::shared_ptr<RouDi> daemon_;
  std::string topic_;
  std::size_t nodes_, bytes_;
};

}  // namespace strait::bench
