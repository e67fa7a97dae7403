import { fstatSync } from 'node:fs';

import type { KeepaliveValues } from './keepalive-files.ts';
import type { SocketOption } from './syscall.ts';
import { close, duplicateDescriptor, getSocketAddress, getSocketOption, setSocketOption } from './syscall.ts';

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const option = (level: number, name: number): SocketOption => ({ level, name });
const options = {
  domain: option(SOL_SOCKET, 39),
  protocol: option(SOL_SOCKET, 38),
  keepalive: option(SOL_SOCKET, 9),
  idle: option(IPPROTO_TCP, 4),
  interval: option(IPPROTO_TCP, 5),
  count: option(IPPROTO_TCP, 6),
  info: option(IPPROTO_TCP, 11),
  userTimeout: option(IPPROTO_TCP, 18),
  /** Linux 5.1. */
  device: option(SOL_SOCKET, 62),
};
const AF_SMC = 43;
const IPPROTO_SMC = 256;
const IPPROTO_MPTCP = 262;
const families: Readonly<Record<number, 4 | 6>> = { 2: 4, 10: 6 };
/** First byte of TCP_INFO, include/net/tcp_states.h. */
const states: Readonly<Record<number, SocketState>> = {
  ...{ 1: 'established', 10: 'listening' },
  // FIN_WAIT2 and CLOSE_WAIT: one end has said all it has to say, and may wait for long for what the other has.
  ...{ 5: 'half closed', 8: 'half closed' },
};
export type SocketState = 'established' | 'half closed' | 'listening' | 'other';

/** `sockaddr_in6` is the longer one. */
const addressBytes = 28;

export interface Endpoint {
  /** 16 bytes, IPv4 mapped into IPv6. */
  readonly address: Buffer;
  readonly port: number;
}

/** What the kernel says of one TCP socket. */
export interface SocketFacts {
  readonly state: SocketState;
  readonly family: 4 | 6;
  /** Of one that is established or half closed. */
  readonly peer: Endpoint | undefined;
  /** Whether the program asked for keepalive. */
  readonly keepalive: boolean;
  /** Its own values where the program set them, else those of its network namespace at this moment. */
  readonly values: KeepaliveValues;
  /** TCP_USER_TIMEOUT in milliseconds; 0 where the program set none. */
  readonly userTimeoutMs: number;
}

/** What stood behind a descriptor; `closed`: nothing any more, or something else than what was listed. */
export type Found = TcpSocket | 'closed' | 'other' | 'SMC';

const firstByte = Buffer.alloc(1);
const number = Buffer.alloc(4);
function readNumber(fd: number, of: SocketOption): number {
  getSocketOption(fd, of, number);
  return number.readInt32LE();
}

/** How Node calls EOPNOTSUPP, which is the same number. */
export const notSupported = 'ENOTSUP';

/** Undefined where the kernel does not know the option for such a socket. */
function readIfKnown(fd: number, of: SocketOption): number | undefined {
  try {
    return readNumber(fd, of);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === notSupported || code === 'ENOPROTOOPT') return undefined;
    throw error;
  }
}

/** A duplicate of a socket that another process has open. It sets options and never reads or writes data. */
export class TcpSocket {
  readonly transport: 'TCP' | 'MPTCP';
  readonly #fd: number;
  readonly #family: 4 | 6;

  private constructor(fd: number, transport: 'TCP' | 'MPTCP', family: 4 | 6) {
    this.#fd = fd;
    this.transport = transport;
    this.#family = family;
  }

  /**
   * The socket with that inode number, which the descriptor was listed with: by now it may be closed, and its number
   * given to another file, of which nothing is to be remembered under the inode that was listed.
   */
  static take(pidfd: number, descriptor: number, inode: number): Found {
    const fd = orClosed(() => duplicateDescriptor(pidfd, descriptor));
    if (fd === undefined) return 'closed';
    let taken: Found | undefined;
    try {
      taken = fstatSync(fd).ino === inode ? kindOf(fd, (...how) => new TcpSocket(fd, ...how)) : 'closed';
      return taken;
    } finally {
      if (!(taken instanceof TcpSocket)) close(fd);
    }
  }

  facts(): SocketFacts {
    const state = this.#state();
    return {
      state,
      family: this.#family,
      peer: state === 'established' || state === 'half closed' ? this.endpoint('peer') : undefined,
      keepalive: readNumber(this.#fd, options.keepalive) === 1,
      values: {
        timeSeconds: readNumber(this.#fd, options.idle),
        intervalSeconds: readNumber(this.#fd, options.interval),
        probes: readNumber(this.#fd, options.count),
      },
      // Linux sets none on a Multipath TCP socket.
      userTimeoutMs: readIfKnown(this.#fd, options.userTimeout) ?? 0,
    };
  }

  /** Index of the device that the program bound it to; 0 for none, and where the kernel does not tell. */
  device(): number {
    return readIfKnown(this.#fd, options.device) ?? 0;
  }

  /** Undefined where the connection has gone meanwhile. */
  endpoint(of: 'self' | 'peer'): Endpoint | undefined {
    const address = Buffer.alloc(addressBytes);
    try {
      getSocketAddress(this.#fd, of, address);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTCONN') return undefined;
      throw error;
    }
    return parseAddress(address);
  }

  /**
   * Turns keepalive on with these values. Setting the time arms the timer anew, reckoned from the last packet
   * (net/ipv4/tcp.c, tcp_sock_set_keepidle_locked), whatever it was armed with before; so it comes last.
   */
  keepAlive({ timeSeconds, intervalSeconds, probes }: KeepaliveValues): void {
    this.#set(options.interval, intervalSeconds);
    this.#set(options.count, probes);
    this.#set(options.keepalive, 1);
    this.#set(options.idle, timeSeconds);
  }

  close(): void {
    close(this.#fd);
  }

  #state(): SocketState {
    getSocketOption(this.#fd, options.info, firstByte);
    return states[firstByte.readUInt8()] ?? 'other';
  }

  #set(name: SocketOption, value: number): void {
    number.writeInt32LE(value);
    setSocketOption(this.#fd, name, number);
  }
}

function kindOf(fd: number, tcp: (transport: 'TCP' | 'MPTCP', family: 4 | 6) => TcpSocket): Found {
  try {
    const [protocol, domain] = [readNumber(fd, options.protocol), readNumber(fd, options.domain)];
    const family = families[domain];
    if (domain === AF_SMC || (family !== undefined && protocol === IPPROTO_SMC)) return 'SMC';
    if (family === undefined) return 'other';
    if (protocol === IPPROTO_TCP) return tcp('TCP', family);
    return protocol === IPPROTO_MPTCP ? tcp('MPTCP', family) : 'other';
  } catch (error) {
    // What is no socket has no socket's inode number; nothing that is closed here is remembered.
    if ((error as NodeJS.ErrnoException).code === 'ENOTSOCK') return 'closed';
    throw error;
  }
}

function orClosed(take: () => number): number | undefined {
  try {
    return take();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBADF' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** `sockaddr_in`: family, port, 4 bytes; `sockaddr_in6`: family, port, flow, 16 bytes. */
function parseAddress(raw: Buffer): Endpoint {
  const port = raw.readUInt16BE(2);
  if (raw.readUInt16LE(0) === 10) return { port, address: Buffer.from(raw.subarray(8, 24)) };
  const mapped = Buffer.alloc(16);
  mapped.writeUInt16BE(0xffff, 10);
  raw.copy(mapped, 12, 4, 8);
  return { port, address: mapped };
}
