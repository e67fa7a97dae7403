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

test.each(pages().map((page) => [page.path, page.text] as const))(
  '%s: no log is that of a workload',
  (_path, text) => {
    expect(text).not.toMatch(/kubectl[^\n`|]* logs [^\n`|]*(?:deploy|deployment|daemonset|ds)\//);
  },
);
