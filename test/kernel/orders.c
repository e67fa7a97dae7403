/*
 * Writes two elements of a map in turn, on one processor, until its input ends.
 *
 *   orders MAP KEY VALUE KEY VALUE   says "ready" once both were written; keys and values in hexadecimal
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static void *bytes(const char *hex) {
  static unsigned char all[4][256];
  static int used;
  unsigned char *at = all[used++];
  for (int i = 0; hex[2 * i] && i < 256; i++) sscanf(hex + 2 * i, "%2hhx", at + i);
  return at;
}

static void update(int map, void *key, void *value) {
  union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)key, .value = (uintptr_t)value};
  if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr))) fail("update");
}

int main(int argc, char **argv) {
  union bpf_attr attr = {.pathname = (uintptr_t)argv[1]};
  struct pollfd input = {.fd = 0, .events = POLLIN};
  cpu_set_t here;
  int map;
  void *of[4];

  if (argc != 6) return 2;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  if (sched_setaffinity(0, sizeof(here), &here)) fail("sched_setaffinity");
  map = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
  if (map < 0) fail(argv[1]);
  for (int i = 0; i < 4; i++) of[i] = bytes(argv[2 + i]);
  for (int isFirst = 1; !poll(&input, 1, 0); isFirst = 0) {
    for (int i = 0; i < 1000; i++) {
      update(map, of[0], of[1]);
      update(map, of[2], of[3]);
    }
    if (isFirst) puts("ready"), fflush(stdout);
  }
}
