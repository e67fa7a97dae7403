import type { Socket } from 'node:net';

import { letGo } from './callers.ts';

/** What the kernel holds of each counts too: up to 4 MB (net.ipv4.tcp_wmem). */
const places = 4;
/** Who reads at once has 14 MB, the page of 5,000 policies with the longest names, in a tenth of that on a network of 1 Gbit/s. */
const readingMs = 1_000;
/** Time in which nobody could be served, since this process made something, is one step at most. */
const steps = 10;

interface Turn {
  readonly socket: Socket;
  readonly begin: () => void;
  /** Who reads it has had his time, and keeps the place only as long as nobody else wants it. */
  isOverdue: boolean;
}

/**
 * Of long answers only a few are under way at a time, and one for each address: others wait. Addresses take turns, so that whoever asks
 * over and over waits for himself, and whoever does not read keeps others for a second.
 */
export class AnswerTurns {
  /** By address, in the order of their turns; holds no address of nobody. */
  readonly #waiting = new Map<string, Set<Turn>>();
  /** By address, in the order in which they began. */
  readonly #underWay = new Map<string, Turn>();

  /** Resolves when it may be answered: never, where it goes before. */
  take(socket: Socket): Promise<void> {
    const { remoteAddress: address = '' } = socket;
    return new Promise((resolve) => {
      const turn: Turn = { socket, begin: resolve, isOverdue: false };
      const turns = this.#waiting.get(address) ?? new Set();
      this.#waiting.set(address, turns.add(turn));
      socket.once('close', () => {
        this.#end(address, turn);
      });
      this.#next();
    });
  }

  /** From now on it is its reader who takes time. */
  given(socket: Socket): void {
    const turn = this.#underWay.get(socket.remoteAddress ?? '');
    if (turn?.socket !== socket) return;
    let left = steps;
    const clock = setInterval(() => {
      left -= 1;
      if (left > 0) return;
      clearInterval(clock);
      turn.isOverdue = true;
      this.#next();
    }, readingMs / steps);
    socket.once('close', () => {
      clearInterval(clock);
    });
  }

  #next(): void {
    for (const [address, turns] of this.#waiting) {
      const inTheWay = this.#inTheWayOf(address);
      if (inTheWay === undefined) this.#begin(address, turns);
      else if (inTheWay.isOverdue) letGo(inTheWay.socket);
    }
  }

  /** Whose place it wants; undefined where it may begin. */
  #inTheWayOf(address: string): Turn | undefined {
    const own = this.#underWay.get(address);
    if (own !== undefined || this.#underWay.size < places) return own;
    const all = [...this.#underWay.values()];
    return all.find(({ isOverdue }) => isOverdue) ?? all[0];
  }

  #begin(address: string, turns: Set<Turn>): void {
    this.#waiting.delete(address);
    const [turn] = turns;
    if (turn === undefined) return;
    turns.delete(turn);
    // Behind all others.
    if (turns.size > 0) this.#waiting.set(address, turns);
    this.#underWay.set(address, turn);
    turn.begin();
  }

  #end(address: string, turn: Turn): void {
    if (this.#underWay.get(address) === turn) this.#underWay.delete(address);
    const turns = this.#waiting.get(address);
    if (turns?.delete(turn) === true && turns.size === 0) this.#waiting.delete(address);
    this.#next();
  }
}
