/**
 * The system calls that Node has no function for. Each throws an Error with `code` and `syscall`, as Node's own do.
 * They act on the calling thread alone: setns in a worker leaves every other thread where it was.
 */
import { getSystemErrorName } from 'node:util';

import koffi from 'koffi';

/** The C library that Node itself is linked with, whichever that is. */
const libc = koffi.load(null);

type Call = (...args: unknown[]) => number;
const raw = {
  setns: libc.func('int setns(int fd, int nstype)') as Call,
  socket: libc.func('int socket(int domain, int type, int protocol)') as Call,
  getsockopt: libc.func(
    'int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)',
  ) as Call,
  close: libc.func('int close(int fd)') as Call,
};

function checked(syscall: string, result: number): number {
  if (result >= 0) return result;
  const code = getSystemErrorName(-koffi.errno());
  throw Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}

const CLONE_NEWNET = 0x4000_0000;

/** Moves the calling thread into the network namespace of an open `/proc/PID/ns/net`. */
export function enterNetworkNamespace(fd: number): void {
  checked('setns', raw.setns(fd, CLONE_NEWNET));
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0x8_0002;
const SOL_SOCKET = 1;
/** Linux 5.14, include/uapi/asm-generic/socket.h. */
const SO_NETNS_COOKIE = 71;

/**
 * A number that the kernel gives to one network namespace and, unlike an inode number, to no other until it is
 * started again. `undefined` before Linux 5.14.
 */
export function networkNamespaceCookie(): bigint | undefined {
  const fd = checked('socket', raw.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
  try {
    const value = Buffer.alloc(8);
    const result = raw.getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, value, [value.length]);
    if (result < 0 && getSystemErrorName(-koffi.errno()) === 'ENOPROTOOPT') return undefined;
    checked('getsockopt', result);
    return value.readBigUInt64LE();
  } finally {
    raw.close(fd);
  }
}
