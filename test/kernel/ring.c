/*
 * A connection that no descriptor leads to: an io_uring makes it and holds it, as a registered file.
 *
 *   ring connect ADDRESS PORT   says "ready" once it is open
 *   ring accept ADDRESS PORT    says "ready" once it listens, and accepts one
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring;
static char *submitted, *completed;
static struct io_uring_sqe *entries;
static struct io_uring_params params;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static void *map(size_t length, off_t offset) {
  void *at = mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
  if (at == MAP_FAILED) fail("mmap");
  return at;
}

/* With one place for a file, which is empty. */
static void set_up(void) {
  int nothing = -1;
  ring = syscall(SYS_io_uring_setup, 1, &params);
  if (ring < 0) fail("io_uring_setup");
  submitted = map(params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
  completed = map(params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
  entries = map(params.sq_entries * sizeof *entries, IORING_OFF_SQES);
  if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &nothing, 1) != 0) fail("io_uring_register");
}

/* One at a time: the queue has one place. */
static void perform(const char *what, struct io_uring_sqe entry) {
  unsigned *tail = (unsigned *)(submitted + params.sq_off.tail);
  unsigned *head = (unsigned *)(completed + params.cq_off.head);
  unsigned *mask = (unsigned *)(completed + params.cq_off.ring_mask);
  struct io_uring_cqe *results = (struct io_uring_cqe *)(completed + params.cq_off.cqes);
  entries[0] = entry;
  *(unsigned *)(submitted + params.sq_off.array) = 0;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) != 1) fail("io_uring_enter");
  int result = results[*head & *mask].res;
  __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
  errno = -result;
  if (result < 0) fail(what);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
  inet_pton(AF_INET, argv[2], &address.sin_addr);
  set_up();
  if (strcmp(argv[1], "connect") == 0) {
    /* Places are counted from 1 where a file is put into one. */
    perform("socket", (struct io_uring_sqe){
                          .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM, .file_index = 1});
    perform("connect", (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
                                             .flags = IOSQE_FIXED_FILE,
                                             .fd = 0,
                                             .addr = (unsigned long)&address,
                                             .off = sizeof address});
    puts("ready");
  } else {
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0) fail("listen");
    puts("ready");
    fflush(stdout);
    perform("accept", (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = listener, .file_index = 1});
  }
  fflush(stdout);
  pause();
}
