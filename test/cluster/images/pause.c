/* Holds a pod's namespaces: waits, reaps what is left to it, ends when it is told to. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void down(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0) ; }

int main(void) {
  struct sigaction end = {0}, child = {0};
  end.sa_handler = down;
  sigaction(SIGINT, &end, 0);
  sigaction(SIGTERM, &end, 0);
  child.sa_handler = reap;
  child.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &child, 0);
  for (;;) pause();
}
