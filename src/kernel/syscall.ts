/**
 * The system calls that Node has no function for. Each throws an Error with `code` and `syscall`, as Node's own do.
 * They act on the calling thread alone: setns in a worker leaves every other thread where it was.
 */
import { constants } from 'node:fs';
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
  setsockopt: libc.func(
    'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
  ) as Call,
  getsockname: libc.func('int getsockname(int fd, _Out_ void *address, _Inout_ uint32_t *length)') as Call,
  getpeername: libc.func('int getpeername(int fd, _Out_ void *address, _Inout_ uint32_t *length)') as Call,
  connect: libc.func('int connect(int fd, const void *address, uint32_t length)') as Call,
  send: libc.func('long send(int fd, const void *buffer, size_t length, int flags)') as Call,
  recv: libc.func('long recv(int fd, _Out_ void *buffer, size_t length, int flags)') as Call,
  syscall: libc.func('long syscall(long number, long a, long b, long c)') as Call,
  prctl: libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)') as Call,
  flock: libc.func('int flock(int fd, int operation)') as Call,
  memfd_create: libc.func('int memfd_create(const char *name, uint32_t flags)') as Call,
  clock_getres: libc.func('int clock_getres(int clock, _Out_ void *resolution)') as Call,
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

const CLONE_NEWCGROUP = 0x0200_0000;

/** Moves the calling thread into the control group namespace of an open `/proc/PID/ns/cgroup`. */
export function enterControlGroupNamespace(fd: number): void {
  checked('setns', raw.setns(fd, CLONE_NEWCGROUP));
}

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** The calling process is killed when the thread that started it ends; who has lost it before is not. */
export function endWithStarter(): void {
  checked('prctl', raw.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

const LOCK_EX = 2;
const LOCK_NB = 4;

/** Whether the open file is locked now; false where another open file holds it. The kernel lets go when it is closed. */
export function tryLock(fd: number): boolean {
  try {
    checked('flock', raw.flock(fd, LOCK_EX | LOCK_NB));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;
const SOCK_CLOEXEC = 0x8_0000;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;

/** Levels and names as in include/uapi/asm-generic/socket.h and include/uapi/linux/tcp.h. */
export interface SocketOption {
  readonly level: number;
  readonly name: number;
}
const SOL_SOCKET = 1;
/** Linux 5.14. */
const netnsCookie: SocketOption = { level: SOL_SOCKET, name: 71 };

/**
 * A number that the kernel gives to one network namespace and, unlike an inode number, to no other until it is
 * started again. `undefined` before Linux 5.14.
 */
export function networkNamespaceCookie(): bigint | undefined {
  const fd = checked('socket', raw.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  try {
    const value = Buffer.alloc(8);
    getSocketOption(fd, netnsCookie, value);
    return value.readBigUInt64LE();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOPROTOOPT') return undefined;
    throw error;
  } finally {
    close(fd);
  }
}

/** Fills `value` as far as the kernel has something to say; returns how far that is, in bytes. */
export function getSocketOption(fd: number, { level, name }: SocketOption, value: Buffer): number {
  const length = [value.length];
  checked('getsockopt', raw.getsockopt(fd, level, name, value, length));
  return length[0] ?? 0;
}

export function setSocketOption(fd: number, { level, name }: SocketOption, value: Buffer): void {
  checked('setsockopt', raw.setsockopt(fd, level, name, value, value.length));
}

/** A `sockaddr` in the first bytes of `address`, of the socket itself or of its peer. */
export function getSocketAddress(fd: number, of: 'self' | 'peer', address: Buffer): void {
  const name = of === 'self' ? 'getsockname' : 'getpeername';
  checked(name, raw[name](fd, address, [address.length]));
}

/** The same number on every architecture: both came after numbers were unified (Linux 5.3 and 5.6). */
const pidfdOpenNumber = 434;
const pidfdGetfdNumber = 438;

/** A descriptor of a process, which never becomes another's. ESRCH where there is none of that number. */
export function openPidfd(pid: number): number {
  return checked('pidfd_open', Number(raw.syscall(pidfdOpenNumber, pid, 0, 0)));
}

/** PIDFD_THREAD, Linux 6.9. */
const ofThread = constants.O_EXCL;

/** The same of any thread, with the descriptors that it has. EINVAL before Linux 6.9. */
export function openThreadPidfd(thread: number): number {
  return checked('pidfd_open', Number(raw.syscall(pidfdOpenNumber, thread, ofThread, 0)));
}

/** A descriptor of our own for the same open file. ENOSYS before Linux 5.6; EBADF where it was closed meanwhile. */
export function duplicateDescriptor(pidfd: number, fd: number): number {
  return checked('pidfd_getfd', Number(raw.syscall(pidfdGetfdNumber, pidfd, fd, 0)));
}

/** Whether the kernel has that call: tried on the caller itself, which may do this whatever else it may. */
export function handsOverDescriptors(): boolean {
  try {
    const pidfd = openPidfd(process.pid);
    try {
      close(duplicateDescriptor(pidfd, pidfd));
    } finally {
      close(pidfd);
    }
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOSYS';
  }
}

/** Of the network namespace that the calling thread is in. */
export function openSocketDiagnosis(): number {
  return checked('socket', raw.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

const diagnosis = Buffer.alloc(1024);

/** One question, one answer, which the next one overwrites. */
export function askSocketDiagnosis(fd: number, request: Buffer): Buffer {
  checked('send', Number(raw.send(fd, request, request.length, 0)));
  return diagnosis.subarray(0, checked('recv', Number(raw.recv(fd, diagnosis, diagnosis.length, 0))));
}

const MFD_CLOEXEC = 1;

/** A file in memory that has no name in any folder. */
export function createMemoryFile(name: string): number {
  return checked('memfd_create', raw.memfd_create(name, MFD_CLOEXEC));
}

/** Made in the network namespace that the calling thread is in. */
export function openInternetSocket(kind: 'stream' | 'datagram'): number {
  const type = kind === 'stream' ? SOCK_STREAM : SOCK_DGRAM;
  return checked('socket', raw.socket(AF_INET, type | SOCK_CLOEXEC, 0));
}

export function connectLoopback(fd: number, port: number): void {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  checked('connect', raw.connect(fd, address, address.length));
}

const MSG_NOSIGNAL = 0x4000;

export function sendAll(fd: number, data: Buffer): void {
  for (let sent = 0; sent < data.length;)
    sent += checked('send', Number(raw.send(fd, data.subarray(sent), data.length - sent, MSG_NOSIGNAL)));
}

/** Empty at the end. */
export function receive(fd: number, most: number): Buffer {
  const data = Buffer.alloc(most);
  return data.subarray(0, checked('recv', Number(raw.recv(fd, data, most, 0))));
}

const CLOCK_MONOTONIC_COARSE = 6;

/** Jiffies a second, of the running kernel: its coarse clocks advance once a jiffy. */
export function ticksPerSecond(): number {
  const resolution = Buffer.alloc(16);
  checked('clock_getres', raw.clock_getres(CLOCK_MONOTONIC_COARSE, resolution));
  return Math.round(1e9 / Number(resolution.readBigInt64LE(8)));
}

/**
 * Gives memory back that the C library keeps for the next allocation: glibc does so by itself only at the end of its heap. Another C
 * library has no such call, and is left as it is.
 */
export function trimAllocator(): void {
  try {
    (libc.func('int malloc_trim(size_t pad)') as Call)(0);
  } catch {
    // musl gives back what it can when it is freed.
  }
}

export function close(fd: number): void {
  raw.close(fd);
}
