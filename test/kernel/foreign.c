/*
 * Another party's sock_ops program, which gives new connections a priority (SO_PRIORITY).
 *
 *   foreign FOLDER HOW PRIORITY
 *
 *   link        attached to that control group by a link, which ends with this program
 *   multi       attached beside others; like what follows, until it is told to leave
 *   override    others may take its place further down
 *   exclusive   nobody else may attach, here or further down
 *
 * Says "ready" and its number (id) when it is attached; leaves at a line of input, and says "done".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static int bpf(int command, union bpf_attr *attr) { return syscall(SYS_bpf, command, attr, sizeof *attr); }

static int load(int priority) {
  const struct bpf_insn code[] = {
      {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = priority},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = SOL_SOCKET},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = SO_PRIORITY},
      {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 4, .src_reg = 10},
      {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 4, .imm = -4},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 5, .imm = sizeof(int)},
      {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_setsockopt},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT},
  };
  union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCK_OPS,
                         .insns = (unsigned long)code,
                         .insn_cnt = sizeof code / sizeof *code,
                         .license = (unsigned long)"GPL",
                         .prog_name = "their_priority"};
  int program = bpf(BPF_PROG_LOAD, &attr);
  if (program < 0) fail("load");
  return program;
}

static unsigned id_of(int program) {
  struct bpf_prog_info info = {};
  union bpf_attr attr = {.info = {.bpf_fd = program, .info_len = sizeof info, .info = (unsigned long)&info}};
  if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) != 0) fail("info");
  return info.id;
}

static unsigned flags_of(const char *how) {
  if (strcmp(how, "multi") == 0) return BPF_F_ALLOW_MULTI;
  return strcmp(how, "override") == 0 ? BPF_F_ALLOW_OVERRIDE : 0;
}

int main(int argc, char **argv) {
  char line[64];
  if (argc < 4) return 2;
  int group = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), program = load(atoi(argv[3]));
  int is_link = strcmp(argv[2], "link") == 0, link = -1;
  if (group < 0) fail(argv[1]);
  union bpf_attr attach = {.target_fd = group,
                           .attach_bpf_fd = program,
                           .attach_type = BPF_CGROUP_SOCK_OPS,
                           .attach_flags = flags_of(argv[2])};
  if (is_link) {
    union bpf_attr create = {
        .link_create = {.prog_fd = program, .target_fd = group, .attach_type = BPF_CGROUP_SOCK_OPS}};
    link = bpf(BPF_LINK_CREATE, &create);
    if (link < 0) fail("attach");
  } else if (bpf(BPF_PROG_ATTACH, &attach) != 0) {
    fail("attach");
  }
  printf("ready %u\n", id_of(program));
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) line[0] = 0;
  if (is_link) close(link);
  attach.attach_flags = 0;
  if (!is_link && bpf(BPF_PROG_DETACH, &attach) != 0) fail("detach");
  puts("done");
  return 0;
}
