import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A kubelet and a few that scrape. Anybody in the cluster may connect, and each connection takes some 15 KiB: thousands of them
 * would take a container over its limit.
 */
const mostConnections = 100;

/**
 * Who is connected to a server that anybody may call, by what its place is worth. Where one comes too many, the oldest that asks nothing
 * goes, else the oldest that does: never the newest, who may be the kubelet, which would start the container anew.
 */
export class Callers {
  /** In the order in which they came, or were answered last. */
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
    if (this.#waiting.size + this.#asking.size <= mostConnections) return;
    const oldest = [...this.#waiting, ...this.#asking].find((other) => other !== socket);
    oldest?.destroy();
  }

  /**
   * Whether this request is to be answered. Node hands over all that a client sent, before it has any answer: thousands of questions
   * in one packet. No client of ours asks again before it has read, so that whoever does is let go.
   */
  isAnswered(socket: Socket, response: ServerResponse): boolean {
    if (socket.destroyed || this.#asking.has(socket)) {
      socket.destroy();
      return false;
    }
    this.#waiting.delete(socket);
    this.#asking.add(socket);
    const late = setTimeout(() => socket.destroy(), this.#answerMs);
    response.once('close', () => {
      clearTimeout(late);
      this.#asking.delete(socket);
      if (!socket.destroyed) this.#waiting.add(socket);
    });
    return true;
  }
}
