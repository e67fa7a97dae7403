/** TCP sockets without a program: made at once, in the network namespace that the calling thread is in. */
import { isIPv6 } from 'node:net';

import koffi from 'koffi';

import type { Triple } from '../../src/api/triple.ts';
import { close, getSocketOption, setSocketOption } from '../../src/kernel/syscall.ts';

const libc = koffi.load(null);
const raw = {
  socket: libc.func('int socket(int domain, int type, int protocol)') as (...args: number[]) => number,
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)') as Call,
  listen: libc.func('int listen(int fd, int backlog)') as Call,
  connect: libc.func('int connect(int fd, const void *address, uint32_t length)') as Call,
  accept4: libc.func('int accept4(int fd, void *address, void *length, int flags)') as Call,
  shutdown: libc.func('int shutdown(int fd, int how)') as Call,
  sendto: libc.func(
    'long sendto(int fd, const void *data, size_t length, int flags, const void *address, uint32_t size)',
  ) as Call,
};
type Call = (...args: unknown[]) => number;

const [AF_INET, AF_INET6, SOCK_NONBLOCK, SOCK_CLOEXEC] = [2, 10, 0o4000, 0o2000000];
/** Programs that a test starts are not to hold what the test closes. */
const SOCK_STREAM = 1 | SOCK_CLOEXEC;
const [MSG_FASTOPEN, SHUT_WR, EINPROGRESS] = [0x2000_0000, 1, 115];
export const IPPROTO_MPTCP = 262;
const option = (level: number, name: number) => ({ level, name });
const options = {
  keepalive: option(1, 9),
  timeSeconds: option(6, 4),
  intervalSeconds: option(6, 5),
  probes: option(6, 6),
  userTimeoutMs: option(6, 18),
  reuseAddress: option(1, 2),
  priority: option(1, 12),
  lingerSeconds: option(6, 8),
  deferSeconds: option(6, 9),
  /** How many may be accepted before their peer is known to be there. */
  fastOpen: option(6, 23),
};
type Name = keyof typeof options;
export type Options = Partial<Record<Name, number>>;

function checked(what: string, result: number): number {
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  return result;
}

function addressOf(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(isIPv6(host) ? 28 : 16);
  bytes.writeUInt16LE(isIPv6(host) ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  if (isIPv6(host)) expand(host).copy(bytes, 8);
  else bytes.set(host.split('.').map(Number), 4);
  return bytes;
}

/** Hexadecimal groups with one `::`, or an IPv4 address behind `::ffff:`. */
function expand(host: string): Buffer {
  const mapped = /^::ffff:([\d.]+)$/.exec(host)?.[1];
  const bytes = Buffer.alloc(16);
  if (mapped !== undefined) {
    bytes.writeUInt16BE(0xffff, 10);
    bytes.set(mapped.split('.').map(Number), 12);
    return bytes;
  }
  const [head = '', tail = ''] = host.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  groups(head).forEach((group, at) => bytes.writeUInt16BE(parseInt(group, 16), at * 2));
  groups(tail).forEach((group, at, all) =>
    bytes.writeUInt16BE(parseInt(group, 16), 16 - (all.length - at) * 2),
  );
  return bytes;
}

export function listenAt(host: string, port: number, protocol = 0): number {
  const fd = checked('socket', raw.socket(isIPv6(host) ? AF_INET6 : AF_INET, SOCK_STREAM, protocol));
  setOptions(fd, { reuseAddress: 1 });
  const address = addressOf(host, port);
  checked('bind', raw.bind(fd, address, address.length));
  checked('listen', raw.listen(fd, 1024));
  return fd;
}

/** It has these options before it connects. */
export function connectTo(
  host: string,
  port: number,
  { before = {}, protocol = 0 }: { readonly before?: Options; readonly protocol?: number } = {},
): number {
  const fd = checked('socket', raw.socket(isIPv6(host) ? AF_INET6 : AF_INET, SOCK_STREAM, protocol));
  setOptions(fd, before);
  const address = addressOf(host, port);
  checked('connect', raw.connect(fd, address, address.length));
  return fd;
}

/** Not open yet: the first packet was sent, as long as a route leads there. */
export function beginToConnect(host: string, port: number): number {
  const fd = checked('socket', raw.socket(isIPv6(host) ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  const address = addressOf(host, port);
  if (raw.connect(fd, address, address.length) < 0 && koffi.errno() !== EINPROGRESS) checked('connect', -1);
  return fd;
}

/** With data in the first packet (TCP Fast Open), once that peer has agreed to it in an earlier one. */
export function connectWithData(host: string, port: number, data: Buffer): number {
  const fd = checked('socket', raw.socket(isIPv6(host) ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
  const address = addressOf(host, port);
  checked('sendto', raw.sendto(fd, data, data.length, MSG_FASTOPEN, address, address.length));
  return fd;
}

/** The other end reads an end, and may go on sending. */
export function closeHalf(fd: number): void {
  checked('shutdown', raw.shutdown(fd, SHUT_WR));
}

export function acceptFrom(listener: number): number {
  return checked('accept4', raw.accept4(listener, null, null, SOCK_CLOEXEC));
}

export function setOptions(fd: number, wanted: Options): void {
  for (const [name, value] of Object.entries(wanted)) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    setSocketOption(fd, options[name as Name], bytes);
  }
}

/** As a program asks for its own. */
export function optionsOf(fd: number): Triple & { readonly keepalive: boolean } {
  return {
    keepalive: optionOf(fd, 'keepalive') === 1,
    timeSeconds: optionOf(fd, 'timeSeconds'),
    intervalSeconds: optionOf(fd, 'intervalSeconds'),
    probes: optionOf(fd, 'probes'),
  };
}

export function optionOf(fd: number, name: Name): number {
  const bytes = Buffer.alloc(4);
  getSocketOption(fd, options[name], bytes);
  return bytes.readInt32LE();
}

/** More than 20480 bytes take. */
const mostInstructions = 2600;

/**
 * Gives it as large a filter as its memory for options takes, which is 20480 bytes by then (net.core.optmem_max): what it accepts
 * has the same, and room for nothing else.
 */
export function fillWithFilter(fd: number): void {
  const instructions = Buffer.alloc(8 * mostInstructions);
  const program = Buffer.alloc(16);
  program.writeBigUInt64LE(BigInt(koffi.address(instructions)), 8);
  // Add 1 again and again, and let all pass.
  for (let at = 0; at < mostInstructions; at += 1) instructions.set([0x04, 0, 0, 0, 1, 0, 0, 0], at * 8);
  for (let length = mostInstructions; length > 0; length -= 1) {
    instructions.set([0x06, 0, 0, 0, 0xff, 0xff, 0, 0], (length - 1) * 8);
    program.writeUInt16LE(length);
    try {
      return setSocketOption(fd, option(1, 26), program);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOMEM') throw error;
    }
  }
}

export function closeAll(fds: readonly number[]): void {
  for (const fd of fds) close(fd);
}
