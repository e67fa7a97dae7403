import type { Socket } from 'node:net';

/**
 * A kubelet and a few that scrape. Anybody in the cluster may connect, and each connection takes some 15 KiB: thousands of them
 * would take a container over its limit.
 */
const mostConnections = 100;

/**
 * Not by `destroy`: of an answer that nobody reads the kernel would keep up to 4 MB (net.ipv4.tcp_wmem), in the memory of this
 * container, until it gives the reader up a minute or more later.
 */
export function letGo(socket: Socket): void {
  if (socket.destroyed) return;
  // What has just ended on our side cannot be reset until the kernel has heard of that.
  if (socket.writableEnded && !socket.writableFinished) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

/**
 * Who is connected to a server that anybody may call, by what its place is worth: one question, and its answer. Where one comes too many,
 * one goes of the address that has most: of those the oldest that asks nothing, else the oldest that does, and never the newest. So nobody
 * pushes out the kubelet, which would start the container anew, nor Prometheus.
 */
export class Callers {
  /** In the order in which they came. */
  readonly #waiting = new Set<Socket>();
  /** In the order in which they asked. */
  readonly #asking = new Set<Socket>();
  readonly #answerMs: number;

  /** No answer takes longer than `answerMs`, however little of it is read at a time. */
  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  admit(socket: Socket): void {
    this.#waiting.add(socket);
    socket.once('close', () => {
      this.#waiting.delete(socket);
      this.#asking.delete(socket);
    });
    // Node would take the connection for done when the kernel has the answer, which its reader may not have.
    socket.destroySoon = () => socket.end();
    // Ahead of Node, which would leave to the kernel what is not read: whoever has read all of it loses nothing.
    socket.prependOnceListener('end', () => {
      letGo(socket);
    });
    if (this.#waiting.size + this.#asking.size > mostConnections) this.#makeRoomFor(socket);
  }

  /**
   * Whether this is the first that it asks, which alone is answered. Node hands over all that a client sent, before it has any answer:
   * thousands of questions in one packet. No client of ours asks again where it was told that the answer is the last.
   */
  isFirstOf(socket: Socket): boolean {
    if (!this.#waiting.delete(socket)) {
      letGo(socket);
      return false;
    }
    this.#asking.add(socket);
    const late = setTimeout(() => {
      letGo(socket);
    }, this.#answerMs);
    socket.once('close', () => {
      clearTimeout(late);
    });
    return true;
  }

  /** Whoever speaks something else is told so, unless it has an answer that it may not have read. */
  refuse(socket: Socket): void {
    if (this.#waiting.has(socket) && socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    else letGo(socket);
  }

  #makeRoomFor(newest: Socket): void {
    const sockets = [...this.#waiting, ...this.#asking];
    const crowds = Map.groupBy(sockets, ({ remoteAddress }) => remoteAddress);
    const crowd = ({ remoteAddress }: Socket) => crowds.get(remoteAddress)?.length ?? 0;
    const others = sockets.filter((socket) => socket !== newest);
    const most = Math.max(...others.map(crowd));
    const leaving = others.find((socket) => crowd(socket) === most);
    if (leaving !== undefined) letGo(leaving);
  }
}
