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
};
const families: Readonly<Record<number, 4 | 6>> = { 2: 4, 10: 6 };
/** First byte of TCP_INFO, include/net/tcp_states.h. */
const states: Readonly<Record<number, SocketState>> = { 1: 'established', 10: 'listening' };
export type SocketState = 'established' | 'listening' | 'other';

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
  /** Of an established one. */
  readonly peer: Endpoint | undefined;
  /** Whether the program asked for keepalive. */
  readonly keepalive: boolean;
  /** Its own values where the program set them, else those of its network namespace at this moment. */
  readonly values: KeepaliveValues;
  /** TCP_USER_TIMEOUT in milliseconds; 0 where the program set none. */
  readonly userTimeoutMs: number;
}

const firstByte = Buffer.alloc(1);
const number = Buffer.alloc(4);
function readNumber(fd: number, of: SocketOption): number {
  getSocketOption(fd, of, number);
  return number.readInt32LE();
}

/** A duplicate of a socket that another process has open. It sets options and never reads or writes data. */
export class TcpSocket {
  readonly #fd: number;
  readonly #family: 4 | 6;

  private constructor(fd: number, family: 4 | 6) {
    this.#fd = fd;
    this.#family = family;
  }

  /** Undefined where that descriptor is no TCP socket, or is closed by now. */
  static take(pidfd: number, descriptor: number): TcpSocket | undefined {
    const fd = orClosed(() => duplicateDescriptor(pidfd, descriptor));
    if (fd === undefined) return undefined;
    const family = familyOfTcp(fd);
    if (family !== undefined) return new TcpSocket(fd, family);
    close(fd);
    return undefined;
  }

  /** The number that `/proc/PID/fd` calls the socket by. */
  get inode(): number {
    return fstatSync(this.#fd).ino;
  }

  facts(): SocketFacts {
    const state = this.#state();
    return {
      state,
      family: this.#family,
      peer: state === 'established' ? this.endpoint('peer') : undefined,
      keepalive: readNumber(this.#fd, options.keepalive) === 1,
      values: {
        timeSeconds: readNumber(this.#fd, options.idle),
        intervalSeconds: readNumber(this.#fd, options.interval),
        probes: readNumber(this.#fd, options.count),
      },
      userTimeoutMs: readNumber(this.#fd, options.userTimeout),
    };
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

/** Undefined for every other socket. */
function familyOfTcp(fd: number): 4 | 6 | undefined {
  try {
    return readNumber(fd, options.protocol) === IPPROTO_TCP
      ? families[readNumber(fd, options.domain)]
      : undefined;
  } catch (error) {
    // A descriptor that was a socket when it was listed, and is something else now.
    if ((error as NodeJS.ErrnoException).code === 'ENOTSOCK') return undefined;
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
