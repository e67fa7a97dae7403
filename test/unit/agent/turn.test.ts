import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { KernelLink } from '../../../src/agent/kernel-link.ts';
import { Turn } from '../../../src/agent/turn.ts';
import { startTicksOf } from '../../../src/kernel/process.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-turn-'));
  file = join(folder, 'state/lock');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('one has it; the next is told who, and has it when that lets go', () => {
  const [first, next] = [new Turn(file, '/proc'), new Turn(file, '/proc')];
  expect(first.take()).toBeUndefined();
  expect(next.take()).toBe(`another agent, process ${process.pid}`);
  first.release();
  expect(next.take()).toBeUndefined();
  expect(first.take()).toBeDefined();
  next.release();
});

test('where a folder cannot be made it says so instead of going on without', () => {
  expect(() => new Turn('/dev/null/lock', '/proc').take()).toThrow(
    /^\/dev\/null\/lock, which .* \((ENOTDIR|EEXIST).*STATE_FOLDER/,
  );
});

describe('a lock whose process has not let go of it', () => {
  let holder: ChildProcess;
  /** Holds the lock as a process does that was killed while one of its threads hangs in a system call. */
  const held = async (thread: string, started: number) => {
    const turn = new Turn(file, '/proc');
    turn.take();
    turn.release();
    holder = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo held; exec sleep 1000']);
    await once(holder.stdout ?? holder, 'data');
    writeFileSync(file, JSON.stringify({ thread, started }));
  };
  afterEach(async () => {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });
  const own = `${process.pid}/task/${process.pid}`;

  test('is waited for while the thread lives that writes values', async () => {
    await held(own, startTicksOf('/proc', own) ?? NaN);
    expect(new Turn(file, '/proc').take()).toBe(`another agent, process ${process.pid}`);
  });

  test('is begun anew where that thread is gone, by one of all who wait', async () => {
    await held(own, 1);
    const [first, next] = [new Turn(file, '/proc'), new Turn(file, '/proc')];
    expect(first.take()).toBeUndefined();
    expect(next.take()).toBeDefined();
    first.release();
  });

  test.each(['', '{}', '{"thread": "1", "started": 5}', '{"thread": "../../etc", "started": 5}'])(
    'is waited for where nobody can tell who holds it: %j',
    async (text) => {
      await held(own, 1);
      writeFileSync(file, text);
      expect(new Turn(file, '/proc').take()).toBe('another agent');
    },
  );
});

describe('two agents of one node', () => {
  test('do not act at a time: the second waits, says for whom, and takes over', async () => {
    const options = { procRoot: '/proc', ledgerFile: join(folder, 'state/ledger') };
    const first = new KernelLink(options);
    await first.turn;
    expect(first.isOurTurn).toBe(true);
    const second = new KernelLink(options);
    const visited = second.visit([], new Map());
    const before = readFileSync(options.ledgerFile, 'utf8');
    while (second.waitingFor === undefined) await new Promise(setImmediate);
    expect(second.isOurTurn).toBe(false);
    expect(second.waitingFor).toBe(`another agent, process ${process.pid}`);
    expect(readFileSync(options.ledgerFile, 'utf8')).toBe(before);
    await first.close();
    await second.turn;
    // What was asked meanwhile is answered now.
    expect((await visited).readings).toEqual([]);
    expect(second.waitingFor).toBeUndefined();
    await second.close();
  });
});
