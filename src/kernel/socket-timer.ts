import type { Endpoint } from './tcp-socket.ts';
import { isMapped } from './endpoint.ts';
import { askSocketDiagnosis, close, openSocketDiagnosis } from './syscall.ts';

/** One connection, as the kernel's table has it. */
export interface Connection {
  readonly family: 4 | 6;
  readonly self: Endpoint;
  readonly peer: Endpoint;
  /** Index of the device that it is bound to; 0 for none. */
  readonly device: number;
}

const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;
const AF_INET = 2;
const AF_INET6 = 10;
const headerBytes = 16;
const requestBytes = 56;
/** In `inet_diag_msg`: family, state, timer, retransmissions, the 48 bytes of the socket's identity, expiry. */
const timerAt = headerBytes + 2;
const expiresAt = headerBytes + 52;
const keepaliveTimer = 2;

/**
 * The socket diagnosis of the network namespace that the calling thread is in when it is opened. It stays with that
 * namespace, wherever the thread goes.
 */
export class SocketDiagnosis {
  readonly #fd = openSocketDiagnosis();

  /**
   * Milliseconds until the keepalive timer of a connection expires; `none` where no such timer runs, as while data is
   * on its way; `unknown` where the kernel does not find the connection: it is of another namespace, or its program is
   * told another peer than it has (a BPF program of a load balancer).
   *
   * No option of a socket tells this: TCP_KEEPIDLE is what the next arming would use, while the timer may have been
   * armed with what the namespace had before. Asked for one connection the kernel looks it up; asked for all
   * it would walk its whole table, milliseconds however few there are.
   */
  keepaliveTimer(connection: Connection): number | 'none' | 'unknown' {
    const answer = askSocketDiagnosis(this.#fd, requestFor(connection));
    const isAnswer = answer.length > expiresAt && answer.readUInt16LE(4) === SOCK_DIAG_BY_FAMILY;
    if (!isAnswer) return 'unknown';
    return answer[timerAt] === keepaliveTimer ? answer.readUInt32LE(expiresAt) : 'none';
  }

  close(): void {
    close(this.#fd);
  }
}

/** `nlmsghdr` and `inet_diag_req_v2` (include/uapi/linux/inet_diag.h). */
function requestFor({ family, self, peer, device }: Connection): Buffer {
  const request = Buffer.alloc(headerBytes + requestBytes);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(NLM_F_REQUEST, 6);
  const asV4 = family === 4 || isMapped(self);
  request.writeUInt8(asV4 ? AF_INET : AF_INET6, headerBytes);
  request.writeUInt8(IPPROTO_TCP, headerBytes + 1);
  request.writeUInt32LE(0xffff_ffff, headerBytes + 4);
  const id = headerBytes + 8;
  request.writeUInt16BE(self.port, id);
  request.writeUInt16BE(peer.port, id + 2);
  const from = asV4 ? 12 : 0;
  self.address.copy(request, id + 4, from);
  peer.address.copy(request, id + 20, from);
  request.writeUInt32LE(device, id + 36);
  // No cookie: whichever connection has these addresses.
  request.fill(0xff, id + 40, id + 48);
  return request;
}
