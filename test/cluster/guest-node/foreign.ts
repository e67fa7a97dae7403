/**
 * Lines of bash: `foreign PROGRAM…` runs it where programs of arm64 run as well, by an emulator that nobody else on this machine gets to
 * know, since a user namespace may have a registry of its own for them. The emulator is opened when it is registered (F): a changed root
 * does not lose it.
 */
export const foreign = `foreign() {
  local emulator holder
  emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
  unshare --user sleep infinity & holder=$!
  until [ "$(readlink /proc/$holder/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.1; done
  echo '0 0 65536' > /proc/$holder/uid_map; echo '0 0 65536' > /proc/$holder/gid_map
  nsenter --user --target $holder --setuid 0 --setgid 0 unshare --mount --pid --fork --kill-child --mount-proc \\
    bash -euc 'elf=$1 emulator=$2; shift 2
      mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc ||
        { echo "programs of arm64 run here since Linux 6.7 alone: this is $(uname -r)" >&2; exit 1; }
      printf %s ":aarch64:M::$elf:$emulator:F" > /proc/sys/fs/binfmt_misc/register
      "$@"' foreign "$elf" "$emulator" "$@"
  kill $holder
}
# The head of such a program, and which of its bits count.
elf='\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00'
elf+=':\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff'
`;
