import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { Cluster } from '../cluster/cluster.ts';
import { loadProduct } from '../cluster/install.ts';
import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { buildMs, helmProgram } from '../support/helm.ts';
import { commandsOf, filesOf, patternOf } from '../unit/docs/console.ts';
import { Page } from '../unit/docs/page.ts';

/** A cluster of its own, as one on a laptop is: one node, and nothing of ours in it yet but the image. */
const page = new Page('docs/first-steps.md');
let cluster: Cluster;
/** Where the reader of the page stands. */
let desk: string;

beforeAll(async () => {
  const helm = await helmProgram('Helm 4');
  cluster = await Cluster.up({ name: 'e2e-first-steps', nodes: 1, owned: true });
  await loadProduct(cluster);
  desk = join(cluster.lab.folder, 'desk');
  mkdirSync(join(desk, 'bin'), { recursive: true });
  symlinkSync(helm, join(desk, 'bin/helm'));
  symlinkSync(join(repository, 'deploy'), join(desk, 'deploy'));
  for (const [name, text] of filesOf(page)) writeFileSync(join(desk, name), text);
}, buildMs);
afterAll(() => cluster.down());

/** The lab has another image with a shell. */
const asHere = (line: string) => line.replace('--image=busybox:1.37', '--image=localhost/tools:1');

async function answer(line: string): Promise<string> {
  const env = { HOME: desk, PATH: `${join(desk, 'bin')}:${cluster.environment().PATH}` };
  const { stdout, stderr, code } = await cluster.exec(['sh', '-c', `cd ${desk} && ${asHere(line)}`], { env });
  return code === 0 ? stdout.replace(/([^\n])$/, '$1\n') : `${stdout}${stderr}status ${code}\n`;
}

test('every command of the page answers what the page shows', async () => {
  const commands = commandsOf(page);
  expect(commands).toHaveLength(15);
  for (const { line, output } of commands) {
    const pattern = patternOf(output.trimEnd() + '\n');
    // What an agent does after a policy is gone, it does in its own time.
    if (line.startsWith('kubectl exec'))
      await until(`${line} answers ${output}`, async () => pattern.test(await answer(line)));
    else expect([line, await answer(line)]).toEqual([line, expect.stringMatching(pattern)]);
  }
}, 300_000);
