import { describe, expect, test } from '@jest/globals';

import type { ToldConnection } from '../../../src/kernel/connection-layout.ts';
import { fewestInFullRead } from '../../../src/kernel/connection-layout.ts';
import { eachOnce } from '../../../src/kernel/each-once.ts';

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * The kernel's table (net/core/bpf_sk_storage.c): lists to whose heads new ones come. Between two reads it keeps the list that it is
 * at, and how many of its head it has told.
 */
class Table {
  readonly #lists: { readonly socket: number; readonly metMs: number }[][];
  #made = 0;
  reads = 0;
  /** What others do between two reads. */
  between: (reads: number) => void = () => undefined;

  constructor(lists: number) {
    this.#lists = Array.from({ length: lists }, () => []);
  }

  /** The numbers of those that are opened. */
  open(count: number): number[] {
    const sockets = Array.from({ length: count }, () => (this.#made += 1));
    for (const socket of sockets)
      this.#lists[socket % this.#lists.length]?.unshift({ socket, metMs: nowMs() });
    return sockets;
  }

  close(sockets: readonly number[]): void {
    const gone = new Set(sockets);
    for (const [at, list] of this.#lists.entries())
      this.#lists[at] = list.filter(({ socket }) => !gone.has(socket));
  }

  *readAll(): Generator<ToldConnection[], void> {
    let [at, skip] = [0, 0];
    while (at < this.#lists.length) {
      const told: ToldConnection[] = [];
      while (at < this.#lists.length && told.length < fewestInFullRead) {
        const list = this.#lists[at] ?? [];
        const part = list.slice(skip, skip + fewestInFullRead - told.length);
        told.push(...(part as ToldConnection[]));
        skip += part.length;
        if (skip >= list.length) [at, skip] = [at + 1, 0];
      }
      if (told.length === 0) return;
      this.reads += 1;
      yield told;
      this.between(this.reads);
    }
  }

  counted(): number[] {
    return [...eachOnce(() => this.readAll())].flat().map(({ socket }) => socket);
  }
}

const sorted = (sockets: readonly number[]) => sockets.toSorted((a, b) => a - b);
const several = 5000;

describe('connections are told once each, whatever others do between two reads', () => {
  test.each([2, 4, 9, 13, 20])('as closing as many newer ones after read %d', (read) => {
    const table = new Table(2);
    const stay = table.open(several);
    const leave = new Set(table.open(several));
    table.between = (reads) => {
      if (reads === read) table.close([...leave]);
    };
    const counted = table.counted().filter((socket) => !leave.has(socket));
    expect(sorted(counted)).toEqual(stay);
  });

  test('as opening some after each read, without end', () => {
    const table = new Table(2);
    const stay = table.open(several);
    table.between = () => table.open(200);
    const counted = table.counted();
    expect(sorted(counted.filter((socket) => socket <= several))).toEqual(stay);
    expect(new Set(counted).size).toBe(counted.length);
  });

  test('as opening some and closing others after each read, without end', () => {
    const table = new Table(4);
    const stay = table.open(several);
    let some = table.open(100);
    table.between = () => {
      table.close(some);
      some = table.open(100);
    };
    expect(sorted(table.counted().filter((socket) => socket <= several))).toEqual(stay);
  });
});

test('what one read tells is told by it alone', () => {
  const table = new Table(2);
  expect(table.counted()).toEqual([]);
  const all = table.open(fewestInFullRead - 1);
  expect(sorted(table.counted())).toEqual(all);
  expect(table.reads).toBe(1);
});

test('one read that is full may have missed those that another would have told', () => {
  const table = new Table(1);
  const stay = table.open(100);
  const leave = table.open(fewestInFullRead);
  table.between = () => table.close(leave);
  expect(sorted(table.counted().filter((socket) => socket <= 100))).toEqual(stay);
});

test('there is no count where each pass finds others that were there before', () => {
  let made = 0;
  const others = () => Array.from({ length: 1000 }, () => ({ socket: (made += 1), metMs: 0 }));
  expect(() => [...eachOnce(() => [others() as ToldConnection[]])]).toThrow('come and go faster');
});

test('more connections than can be told apart are told to their end, in one pass', () => {
  const table = new Table(4);
  const all = table.open(5 * fewestInFullRead);
  const told = [...eachOnce(() => table.readAll(), { most: 2 * fewestInFullRead })].flat();
  expect(told.map(({ socket }) => socket).toSorted((a, b) => a - b)).toEqual(all);
  expect(table.reads).toBe(5);
});
