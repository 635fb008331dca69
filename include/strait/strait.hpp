#pragma once
// All of Strait.

#include <strait/buffer_read_write.hpp>
#include <strait/buffer_with_locks.hpp>
#include <strait/bytes.hpp>
#include <strait/circular_buffer.hpp>
#include <strait/error.hpp>
#include <strait/expanding_array.hpp>
#include <strait/named_event.hpp>
#include <strait/named_mutex.hpp>
#include <strait/notifying_buffer.hpp>
#include <strait/on_error.hpp>
#include <strait/options.hpp>
#include <strait/publisher.hpp>
#include <strait/raw_notifying_buffer.hpp>
#include <strait/read_claim.hpp>
#include <strait/rpc_buffer.hpp>
#include <strait/shareable.hpp>
#include <strait/shared_array.hpp>
#include <strait/shared_buffer.hpp>
#include <strait/shared_struct.hpp>
#include <strait/subscriber.hpp>
#include <strait/subscription.hpp>
#include <strait/timeout.hpp>
#include <strait/topic_options.hpp>
#include <strait/wait_any.hpp>
#include <strait/write_claim.hpp>
