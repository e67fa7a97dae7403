/*
 * A program with connections that are not like others.
 *
 *   peculiar KIND ADDRESS PORT COUNT [ARGUMENT...]
 *
 *   serve            listens for Multipath TCP, and keeps what it accepts
 *   held             the lock of the one in the middle is held: it sends from memory that never comes
 *   mptcp            of Multipath TCP
 *   device NAME      bound to a device
 *   elsewhere PID    of the network namespace of another process
 *   timeout MS       with TCP_USER_TIMEOUT
 *   asks MS          the same, with keepalive on
 *   refused FOLDER   a BPF program, attached in a new cgroup v2 mounted at FOLDER, refuses options of the one in the middle
 *   balanced FOLDER  a BPF program, attached like that, names another peer, as a load balancer inside the kernel does
 *   flight           only a message holds it, which nobody has received yet
 *   crowd NUMBER [PROCESSES]  with so many descriptors of the first in each of its ten processes
 *
 * Says "ready" when all are open, then does what it is told, a line each, and says "done":
 *
 *   close      its connections, but for the one that is held
 *   let go     of the lock
 *   events     says how many of its connections epoll reports, once one is due
 *   leave      the first thread ends, and another goes on
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/userfaultfd.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { most = 1000, page_size = 4096 };
static int sockets[most], count, held = -1, watched;
static int faults;
static char *page;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static const char *kind, *argument;
static int is(const char *name) { return strcmp(kind, name) == 0; }

static struct sockaddr_in address_of(char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  inet_pton(AF_INET, argv[0], &address.sin_addr);
  return address;
}

static int open_namespace(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

static void write_to(const char *folder, const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) fail(path);
  close(fd);
}

/* Sockets belong to the group that their process is in when it makes them. */
static char group[256];
static void attach(const struct bpf_insn *code, int length, enum bpf_prog_type type, enum bpf_attach_type where) {
  union bpf_attr load = {.prog_type = type,
                         .expected_attach_type = where,
                         .insns = (unsigned long)code,
                         .insn_cnt = length,
                         .license = (unsigned long)"GPL"};
  if (mkdir(argument, 0755) != 0 || mount("none", argument, "cgroup2", 0, 0) != 0) fail("cgroup2");
  snprintf(group, sizeof group, "%s/keepalive-peculiar-%d", argument, getpid());
  if (mkdir(group, 0755) != 0) fail(group);
  int program = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  union bpf_attr attach = {
      .target_fd = open(group, O_RDONLY | O_DIRECTORY), .attach_bpf_fd = program, .attach_type = where};
  if (program < 0 || syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) != 0) fail("bpf");
}

static void refuse_options(void) {
  const struct bpf_insn refuse[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
                                    {.code = BPF_JMP | BPF_EXIT}};
  attach(refuse, 2, BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT);
}

/* As Cilium tells a program the address of the service that it asked for. */
static void name_another_peer(void) {
  const struct bpf_insn rename[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = htonl(0x0a60000a)},
                                    {.code = BPF_STX | BPF_MEM | BPF_W,
                                     .dst_reg = 1,
                                     .src_reg = 2,
                                     .off = offsetof(struct bpf_sock_addr, user_ip4)},
                                    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
                                    {.code = BPF_JMP | BPF_EXIT}};
  attach(rename, 4, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME);
}

static int make(int at) {
  int is_grouped = is("balanced") || (is("refused") && at == count / 2);
  int home = is("elsewhere") ? open_namespace("self") : -1;
  if (is("elsewhere") && setns(open_namespace(argument), CLONE_NEWNET) != 0) fail("setns");
  if (is_grouped) write_to(group, "cgroup.procs", "0");
  int fd = socket(AF_INET, SOCK_STREAM, is("mptcp") || is("serve") ? 262 : 0);
  if (fd < 0) fail("socket");
  if (is_grouped) write_to(argument, "cgroup.procs", "0");
  if (home >= 0 && setns(home, CLONE_NEWNET) != 0) fail("setns");
  if (is("device") && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, argument, strlen(argument)) != 0) fail(argument);
  unsigned timeout = is("timeout") || is("asks") ? atoi(argument) : 0;
  if (timeout && setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout) != 0) fail("timeout");
  int on = is("asks") || is("elsewhere") || is("device") || is("balanced");
  if (on && setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0) fail("keepalive");
  return fd;
}

static void serve(struct sockaddr_in address) {
  int one = 1, fd = make(0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, most) != 0) fail("listen");
  puts("ready");
  for (;;) accept(fd, 0, 0);
}

/* Each process may have only so many. */
static void crowd(int number, int processes) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (int child = 1; child < processes; child += 1)
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (int at = 0; at < number; at += 1)
        if (dup(sockets[0]) < 0) fail("dup");
      pause();
    }
  for (int at = 0; at < number; at += 1)
    if (dup(sockets[0]) < 0) fail("dup");
}

/* What was sent holds it from then on. */
static void send_away(void) {
  int ends[2];
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &sockets[0], sizeof(int));
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || sendmsg(ends[0], &message, 0) != 1) fail("sendmsg");
  close(sockets[0]);
}

static void *send_for_ever(void *nothing) {
  send(sockets[held], page, page_size, 0);
  return nothing;
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

/* A connection that is closed is watched no more, unless somebody else holds it. */
static void count_events(void) {
  struct epoll_event events[most];
  printf("events %d\n", epoll_wait(watched, events, most, 1000));
}

static char first_state(void) {
  char text[512] = {0};
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) fail("stat");
  close(fd);
  return strrchr(text, ')')[2];
}

static void follow(void);
static void *go_on(void *nothing) {
  while (first_state() != 'Z') usleep(1000);
  puts("done");
  follow();
  exit(0);
}

static void leave(void) {
  pthread_t thread;
  pthread_create(&thread, 0, go_on, 0);
  pthread_exit(0);
}

static void obey(const char *line) {
  if (strcmp(line, "leave\n") == 0) leave();
  if (strcmp(line, "let go\n") == 0) let_go();
  if (strcmp(line, "events\n") == 0) count_events();
  if (strcmp(line, "close\n") == 0)
    for (int at = 0; at < count; at += 1)
      if (at != held) close(sockets[at]);
}

static void follow(void) {
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    obey(line);
    puts("done");
  }
  if (group[0]) rmdir(group);
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IOLBF, 0);
  if (argc < 5) return 2;
  kind = argv[1];
  argument = argv[5];
  struct sockaddr_in peer = address_of(argv + 2);
  count = atoi(argv[4]);
  if (is("serve")) serve(peer);
  if (is("refused")) refuse_options();
  if (is("balanced")) name_another_peer();
  watched = epoll_create1(EPOLL_CLOEXEC);
  for (int at = 0; at < count; at += 1) {
    sockets[at] = make(at);
    if (connect(sockets[at], (struct sockaddr *)&peer, sizeof peer) != 0) fail("connect");
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(watched, EPOLL_CTL_ADD, sockets[at], &event) != 0) fail("epoll_ctl");
  }
  if (is("crowd")) crowd(atoi(argument), argc > 6 ? atoi(argv[6]) : 10);
  if (is("flight")) send_away();
  if (is("held")) {
    held = count / 2;
    hold();
  }
  puts("ready");
  follow();
  return 0;
}
