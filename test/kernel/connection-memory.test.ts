import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { groupFolders } from '../../src/kernel/control-group.ts';
import { tryRemove } from '../cluster/cgroups.ts';
import { until } from '../cluster/wait.ts';
import { Ground } from './connection-ground.ts';
import { procRootOf } from './sandbox.ts';
import { script } from './script.ts';

const sockets = 4_000;
/** On Linux 6.18, of whoever made the map. */
const bytesEach = 304;
const usageFiles = ['memory.current', 'memory.usage_in_bytes'];
let ground: Ground;
let home: string;
let group: string;

beforeAll(async () => {
  ground = await Ground.start();
  home = ownMemoryGroup();
  group = join(home, `keepalive-marks-${process.pid}`);
  mkdirSync(group);
});
afterAll(async () => {
  await until('the control group is empty', () => tryRemove(group));
  await ground.stop();
});

function ownMemoryGroup(): string {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const folders = groupFolders(readFileSync('/proc/self/cgroup', 'utf8'), mounts);
  const found = folders.find((folder) => usageFiles.some((name) => existsSync(join(folder, name))));
  if (found === undefined) throw new Error('this machine counts the memory of no control group');
  return found;
}

test('what the kernel remembers of connections is not charged to the container of the agent, which it would end', () => {
  const { objectFile, groupFolder, pinFolder } = ground;
  // Its first process is where this test is.
  const options = { procRoot: procRootOf(ground.machine.host), objectFile, groupFolder, pinFolder };
  const usageFile = usageFiles.find((name) => existsSync(join(group, name))) ?? '';
  const [node = '', ...args] = script('marker.ts');
  const grown = execFileSync(
    node,
    [...args, group, home, usageFile, String(sockets), JSON.stringify(options)],
    { encoding: 'utf8' },
  );
  expect(Number(grown)).toBeLessThan((sockets * bytesEach) / 4);
});
