import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { kernelDefaults } from '../../src/api/triple.ts';
import { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { until } from '../cluster/wait.ts';
import { behind } from '../support/builder.ts';
import { unspreadOfUsual } from '../support/unspread.ts';
import { compiled } from './compiled.ts';
import { Ground } from './connection-ground.ts';
import { optionOf, optionsOf } from './plain-socket.ts';

/** Ours, at a control group of the test's own in the place of the root, beside the sock_ops programs of another party. */
jest.setTimeout(60_000);
const armed = { keepalive: true, timeSeconds: 30, intervalSeconds: 10, probes: 6 };
const untouched = { keepalive: false, ...kernelDefaults };
/** Of new connections, which are theirs to choose. */
const priority = 5;

let ground: Ground;
let foreign: string;
/** The one where ours is attached, and one below it. */
let folder: { readonly root: string; readonly child: string };
let theirs: Theirs[] = [];
beforeAll(async () => {
  ground = await Ground.start();
  foreign = await compiled('foreign', ground.machine.folder);
  const root = join(ground.groupFolder, `${basename(ground.machine.folder)}-programs`);
  folder = { root, child: join(root, 'child') };
});
beforeEach(() => {
  mkdirSync(folder.child, { recursive: true });
  ground.serve();
});
afterEach(async () => {
  for (const one of theirs) await one.leave();
  theirs = [];
  ground.closeSockets();
  ConnectionProgram.removeAll(ground.pinFolder);
  for (const group of [folder.child, folder.root]) rmdirSync(group);
});
afterAll(() => ground.stop());

type Where = keyof typeof folder;
type Way = 'link' | 'multi' | 'override' | 'exclusive';

/** Another process, with a program of its own that is attached. */
class Theirs {
  readonly id: number;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, id: number) {
    this.#child = child;
    this.id = id;
  }

  /** It takes its program away, which fails where that is gone. */
  async leave(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end('leave\n');
    expect(await ended).toEqual([0, null]);
  }
}

async function attach(how: Way, where: Where): Promise<Theirs> {
  const child = ground.machine.host.spawn([foreign, folder[where], how, String(priority)], { cwd: '/' });
  if (child.stdout === null || child.stderr === null) throw new Error('no output');
  const complaint = once(child.stderr.setEncoding('utf8'), 'data');
  const line = once(createInterface({ input: child.stdout }), 'line');
  const [said] = (await Promise.race([line, complaint])) as [string];
  if (!said.startsWith('ready')) throw new Error(said);
  const one = new Theirs(child, Number(said.split(' ')[1]));
  theirs.push(one);
  return one;
}

async function attachOurs(groupFolder = folder.root): Promise<ConnectionProgram> {
  const program = await ground.open({ groupFolder });
  program.order(ground.client.cookie, workedOut(behind(90)));
  return program;
}

/** The kernel detaches it a moment after its last pin has gone. */
async function removeOurs(): Promise<void> {
  ConnectionProgram.removeAll(ground.pinFolder);
  await until('ours acts no more', () => !connectionIn('child').ours.keepalive);
}

/** What a new connection of a process of that group has, by us and by them. */
function connectionIn(where: Where) {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  writeFileSync(join(folder[where], 'cgroup.procs'), '0');
  try {
    const fd = ground.connect();
    return { ours: unspreadOfUsual(optionsOf(fd)), theirs: optionOf(fd, 'priority') };
  } finally {
    writeFileSync(join(ground.groupFolder, own, 'cgroup.procs'), '0');
  }
}

const both = { ours: armed, theirs: priority };
const onlyOurs = { ours: armed, theirs: 0 };
const onlyTheirs = { ours: untouched, theirs: priority };

describe("another party's program that allows others", () => {
  const besideUs = [
    ['link', 'root'],
    ['multi', 'root'],
    ['link', 'child'],
    ['multi', 'child'],
    // At a group below, nobody is in its way: ours allows others.
    ['override', 'child'],
    ['exclusive', 'child'],
  ] as const;
  const of = (where: Where) => (where === 'root' ? both : onlyOurs);

  test.each(besideUs)(
    'acts beside ours that came later, and goes on without: %s at the %s',
    async (how, where) => {
      await attach(how, where);
      (await attachOurs()).close();
      expect([connectionIn('child'), connectionIn('root')]).toEqual([both, of(where)]);
      await removeOurs();
      expect(connectionIn('child')).toEqual(onlyTheirs);
    },
  );

  test.each(besideUs)(
    'acts beside ours that was there, and goes on without: %s at the %s',
    async (how, where) => {
      (await attachOurs()).close();
      await attach(how, where);
      expect([connectionIn('child'), connectionIn('root')]).toEqual([both, of(where)]);
      await removeOurs();
      expect(connectionIn('child')).toEqual(onlyTheirs);
    },
  );

  test.each(besideUs)('leaves, and ours goes on: %s at the %s', async (how, where) => {
    (await attachOurs()).close();
    const one = await attach(how, where);
    await one.leave();
    expect([connectionIn('child'), connectionIn('root')]).toEqual([onlyOurs, onlyOurs]);
  });
});

describe("another party's program that allows no others", () => {
  const nothing = () => expect(existsSync(ground.pinFolder)).toBe(false);

  test.each(['override', 'exclusive'] as const)(
    'refuses ours where it is attached, is named, and goes on: %s',
    async (how) => {
      const { id } = await attach(how, 'root');
      await expect(attachOurs()).rejects.toThrow(
        `EPERM at attach born: sock_ops programs that allow no others there: their_priority (id ${id})`,
      );
      nothing();
      expect(connectionIn('root')).toEqual(onlyTheirs);
    },
  );

  test('refuses ours further down too, and is named there', async () => {
    const { id } = await attach('exclusive', 'root');
    await expect(attachOurs(folder.child)).rejects.toThrow(`their_priority (id ${id})`);
    nothing();
    expect(connectionIn('child')).toEqual(onlyTheirs);
  });

  test.each(['override', 'exclusive'] as const)('is refused where ours is already: %s', async (how) => {
    (await attachOurs()).close();
    await expect(attach(how, 'root')).rejects.toThrow('attach: Operation not permitted');
    expect(connectionIn('root')).toEqual(onlyOurs);
  });
});
