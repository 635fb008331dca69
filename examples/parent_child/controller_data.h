/* What parent and child share. Plain C: the same for every language, without padding. */

#ifndef STRAIT_EXAMPLES_CONTROLLER_DATA_H
#define STRAIT_EXAMPLES_CONTROLLER_DATA_H

#include <stdint.h>

#pragma pack(push, 1)
struct ProcessControllerData {
  double timestamp;
  double total_duration;
  int32_t paused_state;
  int32_t mute_state;
  int32_t heartbeat_signal; /* how many messages the parent has sent */
  int32_t control_flags;    /* how many of them the child has read */
  int32_t data_length;      /* of the message */
  char message_buffer[1024];
};
#pragma pack(pop)

#endif
