/*
 * A program with connections that are not like others.
 *
 *   peculiar held ADDRESS PORT COUNT   the lock of the one in the middle is held: it sends from memory that never comes
 *
 * Says "ready" when all are open, then does what it is told, a line each, and says "done":
 *
 *   close      its connections, but for the one that is held
 *   let go     of the lock
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { most = 1000, page_size = 4096 };
static int sockets[most], count, held = -1;
static int faults;
static char *page;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static int connect_to(const char *address, const char *port) {
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, address, &peer.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0) fail("connect");
  return fd;
}

static void *send_for_ever(void *argument) {
  (void)argument;
  send(sockets[held], page, page_size, 0);
  return 0;
}

/* The kernel copies the page while it holds the lock of the socket; nobody serves the page. */
static void hold(void) {
  struct uffdio_api api = {.api = UFFD_API};
  struct uffd_msg message;
  pthread_t thread;
  faults = syscall(SYS_userfaultfd, O_CLOEXEC);
  if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0) fail("userfaultfd");
  page = mmap(0, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register range = {.range = {(unsigned long)page, page_size}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (ioctl(faults, UFFDIO_REGISTER, &range) != 0) fail("UFFDIO_REGISTER");
  pthread_create(&thread, 0, send_for_ever, 0);
  if (read(faults, &message, sizeof message) != sizeof message) fail("the fault");
}

static void let_go(void) {
  struct uffdio_zeropage zero = {.range = {(unsigned long)page, page_size}};
  if (ioctl(faults, UFFDIO_ZEROPAGE, &zero) != 0) fail("UFFDIO_ZEROPAGE");
}

static void obey(const char *line) {
  if (strcmp(line, "let go\n") == 0) let_go();
  if (strcmp(line, "close\n") == 0)
    for (int at = 0; at < count; at += 1)
      if (at != held) close(sockets[at]);
}

int main(int argc, char **argv) {
  char line[64];
  setvbuf(stdout, 0, _IOLBF, 0);
  if (argc != 5) return 2;
  count = atoi(argv[4]);
  for (int at = 0; at < count; at += 1) sockets[at] = connect_to(argv[2], argv[3]);
  if (strcmp(argv[1], "held") == 0) {
    held = count / 2;
    hold();
  }
  puts("ready");
  while (fgets(line, sizeof line, stdin)) {
    obey(line);
    puts("done");
  }
  return 0;
}
