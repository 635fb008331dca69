/* The child in plain C: it maps the name and looks at the bytes. It knows nothing of Strait, so nobody wakes it, and it takes a message
   for whole when two looks one after the other agree. */

#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#endif

#include "controller_data.h"

#include <stdio.h>
#include <string.h>

#if defined(_WIN32)

#include <windows.h>

static struct ProcessControllerData* map_channel(void) {
  HANDLE mapping = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, "IpcDemoChannel");
  return mapping == NULL ? NULL : (struct ProcessControllerData*)MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
}
static void rest(void) { Sleep(10); }

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct ProcessControllerData* map_channel(void) {
  int object = shm_open("/IpcDemoChannel", O_RDWR, 0);
  void* address;
  if (object < 0) return NULL;
  address = mmap(NULL, sizeof(struct ProcessControllerData), PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
  close(object);
  return address == MAP_FAILED ? NULL : (struct ProcessControllerData*)address;
}
static void rest(void) {
  struct timespec ten_milliseconds = {0, 10000000};
  nanosleep(&ten_milliseconds, NULL);
}

#endif

int main(void) {
  volatile struct ProcessControllerData* shared;
  struct ProcessControllerData data;
  struct ProcessControllerData again;
  int32_t read = 0;
  int looks;

  printf("[Child] Process started\n");
  fflush(stdout);
  shared = map_channel();
  if (shared == NULL) {
    fprintf(stderr, "child: there is no IpcDemoChannel\n");
    return 1;
  }
  for (looks = 0; looks < 3000; ++looks) {
    memcpy(&data, (const void*)shared, sizeof data);
    rest();
    memcpy(&again, (const void*)shared, sizeof again);
    if (data.heartbeat_signal == read || memcmp(&data, &again, sizeof data) != 0) continue;
    printf("[Child] Received: %.*s\n", (int)data.data_length, data.message_buffer);
    fflush(stdout);
    read = data.heartbeat_signal;
    shared->control_flags = read;
    if (data.data_length == 9 && memcmp(data.message_buffer, "terminate", 9) == 0) {
      printf("[Child] Process terminated\n");
      return 0;
    }
  }
  fprintf(stderr, "child: the parent says nothing\n");
  return 1;
}
