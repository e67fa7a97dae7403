/*
 * A TCP client that is silent for a while, and the server it talks to.
 *
 *   idle serve PORT [ADDRESS]        echoes, over IPv4 and IPv6; says who came and how each connection ended
 *   idle queue PORT                  listens and never accepts: no program holds what connects
 *   idle mptcp ...                   any of the others, over Multipath TCP, as Go listens by default
 *   idle hold ADDRESS PORT COUNT     both ends of so many connections, for as long as it lives
 *   idle connect ADDRESS PORT --silent SECONDS [--keepalive] [--values TIME/INTERVAL/PROBES] [--chat] [--forever] [--give-up SECONDS]
 *
 * --keepalive sets SO_KEEPALIVE and nothing else, as most programs do: the kernel's values decide the rest.
 * --values sets SO_KEEPALIVE and values of its own.
 * --give-up leaves its patience to the kernel (TCP_USER_TIMEOUT), which then says ETIMEDOUT (110); by default
 * Linux is patient for about 15 minutes (tcp_retries2).
 * --chat talks every second until its standard input ends, and is silent from then on.
 * Status 0: the connection was alive after the silence.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int answer_seconds = 10;
static int protocol = IPPROTO_TCP;

static void fail(const char *what) {
  printf("%s: %s (%d) %s\n", what, strerrorname_np(errno), errno, strerror(errno));
  exit(1);
}

static void *echo(void *argument) {
  int fd = (int)(long)argument;
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  char host[64], port[16], buffer[256];
  getpeername(fd, (struct sockaddr *)&peer, &length);
  getnameinfo((struct sockaddr *)&peer, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  printf("accepted %s port %s\n", host, port);
  ssize_t got;
  while ((got = read(fd, buffer, sizeof buffer)) > 0)
    if (write(fd, buffer, got) != got) break;
  if (got == 0) printf("closed by %s port %s\n", host, port);
  else printf("lost %s port %s: %s (%d)\n", host, port, strerrorname_np(errno), errno);
  close(fd);
  return 0;
}

static struct addrinfo *resolve(const char *address, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
  int fault = getaddrinfo(address, port, &hints, &found);
  if (fault == 0) return found;
  printf("%s port %s: %s\n", address, port, gai_strerror(fault));
  exit(2);
}

/* "::" takes IPv4 too. */
static int listen_at(const char *port, const char *address) {
  struct addrinfo *at = resolve(address, port);
  int on = 1, fd = socket(at->ai_family, SOCK_STREAM, protocol);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, 1024)) fail("serve");
  printf("serving port %s\n", port);
  return fd;
}

static void serve(const char *port, const char *address) {
  int fd = listen_at(port, address);
  for (;;) {
    int client = accept(fd, 0, 0);
    pthread_t thread;
    if (client < 0) continue;
    pthread_create(&thread, 0, echo, (void *)(long)client);
    pthread_detach(thread);
  }
}

static int dial(const char *address, const char *port) {
  struct addrinfo *found = resolve(address, port);
  int fd = socket(found->ai_family, SOCK_STREAM, protocol);
  struct timeval patience = {.tv_sec = answer_seconds};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, found->ai_addr, found->ai_addrlen)) fail("connect");
  freeaddrinfo(found);
  return fd;
}

/* Says a line and waits for its echo. */
static void talk(int fd, const char *when) {
  char buffer[16];
  if (send(fd, "hello\n", 6, MSG_NOSIGNAL) < 0) fail(when);
  ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got > 0) return;
  if (got == 0) {
    printf("%s: closed by the peer\n", when);
    exit(1);
  }
  if (errno == EAGAIN) {
    printf("%s: no answer within %d s\n", when, answer_seconds);
    exit(1);
  }
  fail(when);
}

/* Keeps a connection busy until whoever started this program closes its standard input. */
static void chat(int fd) {
  char buffer[16];
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (;;) {
    if (poll(&input, 1, 1000) == 0) talk(fd, "chat");
    else if (read(0, buffer, sizeof buffer) <= 0) return;
  }
}

/* Both ends of so many connections in one process, without a thread, keepalive or a word. */
static void hold(const char *address, const char *port, int count) {
  struct addrinfo *at = resolve(address, port);
  int listening = socket(at->ai_family, SOCK_STREAM, protocol);
  if (bind(listening, at->ai_addr, at->ai_addrlen) || listen(listening, count)) fail("hold");
  for (int i = 0; i < count; i++) {
    int fd = socket(at->ai_family, SOCK_STREAM, protocol);
    if (connect(fd, at->ai_addr, at->ai_addrlen) || accept(listening, 0, 0) < 0) fail("hold");
  }
  printf("holding %d connections\n", count);
  for (;;) pause();
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && !strcmp(argv[1], "mptcp")) {
    protocol = IPPROTO_MPTCP;
    argv++;
    argc--;
  }
  if ((argc == 3 || argc == 4) && !strcmp(argv[1], "serve")) serve(argv[2], argc == 4 ? argv[3] : "::");
  if (argc == 3 && !strcmp(argv[1], "queue")) {
    listen_at(argv[2], "::");
    for (;;) pause();
  }
  if (argc == 5 && !strcmp(argv[1], "hold")) hold(argv[2], argv[3], atoi(argv[4]));
  if (argc < 6 || strcmp(argv[1], "connect")) {
    puts("usage: idle serve PORT [ADDRESS]");
    puts("       idle hold ADDRESS PORT COUNT");
    puts("       idle connect ADDRESS PORT --silent SECONDS [--keepalive] [--values TIME/INTERVAL/PROBES] [--chat] [--forever] [--give-up SECONDS]");
    return 2;
  }
  int silent = 0, give_up = 0, keepalive = 0, chatty = 0, forever = 0, values[3] = {0};
  for (int i = 4; i < argc; i++) {
    if (!strcmp(argv[i], "--silent") && i + 1 < argc) silent = atoi(argv[++i]);
    else if (!strcmp(argv[i], "--give-up") && i + 1 < argc) give_up = 1000 * atoi(argv[++i]);
    else if (!strcmp(argv[i], "--keepalive")) keepalive = 1;
    else if (!strcmp(argv[i], "--values") && i + 1 < argc)
      keepalive = sscanf(argv[++i], "%d/%d/%d", &values[0], &values[1], &values[2]) == 3;
    else if (!strcmp(argv[i], "--chat")) chatty = 1;
    else if (!strcmp(argv[i], "--forever")) forever = 1;
  }
  int fd = dial(argv[2], argv[3]);
  if (keepalive) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, sizeof keepalive);
  const int options[] = {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT};
  for (int i = 0; i < 3; i++)
    if (values[i] && setsockopt(fd, IPPROTO_TCP, options[i], &values[i], sizeof values[i])) fail("values");
  if (give_up) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up, sizeof give_up);
  talk(fd, "first words");
  printf("connected to %s port %s%s\n", argv[2], argv[3], keepalive ? ", keepalive on" : "");
  if (chatty) chat(fd);
  char when[64];
  snprintf(when, sizeof when, "silent %d s", silent);
  do {
    sleep(silent);
    talk(fd, when);
    printf("%s: alive\n", when);
  } while (forever);
  return 0;
}
