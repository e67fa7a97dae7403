import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { Base } from '../../../scripts/chart/base.ts';
import { pages } from './page.ts';

const labels = new Base({}).at('Deployment', ['spec', 'selector', 'matchLabels']).toJSON() as Record<
  string,
  string
>;
const replicas = Object.entries(labels)
  .map(([label, value]) => `${label}=${value}`)
  .join();

/** `kubectl logs` of a Deployment reads one of its pods, whichever it finds: as a rule one that only waits. */
const ofController = pages().flatMap((page) =>
  [...page.text.matchAll(/kubectl -n keepalive-system logs [^\n`|]*/g)].map(
    ([command]) => [page.path, command.trim()] as const,
  ),
);

test('there are commands that read the log of the controller', () => {
  expect(ofController.length).toBeGreaterThan(5);
});

test.each(ofController)('%s: %s asks every replica, and tells them apart', (_page, command) => {
  expect(command).toMatch(/ --tail=\d+$/);
  expect(command).toContain(` -l ${replicas} --prefix `);
});

/** What a reader is to look for in it has to be what the program says. */
const sought = pages().flatMap(({ path, text }) =>
  [...text.matchAll(/(?:logs [^\n`]*\| |`)grep (?:-i )?'?([^'`\n]+)'?[`\n]/g)].map(
    ([, words = '']) => [path, words] as const,
  ),
);
const root = join(import.meta.dirname, '../../..');
const said = globSync('src/{controller,kube,ops}/*.ts', { cwd: root }).flatMap((path) =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/\blog\w*(?:\.\w+|\[level\])\([^;]*;/gs)].map(
    ([call]) => call,
  ),
);

test('there are words to look for', () => {
  expect(sought.map(([, words]) => words)).toContain('work failed');
});

test.each(sought)('%s: a line of the log has the words %s', (_path, words) => {
  expect(said.filter((call) => call.includes(words))).not.toEqual([]);
});

test.each(pages().map((page) => [page.path, page.text] as const))(
  '%s: no log is that of a workload',
  (_path, text) => {
    expect(text).not.toMatch(/kubectl[^\n`|]* logs [^\n`|]*(?:deploy|deployment|daemonset|ds)\//);
  },
);
