import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { isFollowed } from '../../../src/agent/daemonset.ts';
import type { Whereabouts } from '../../../src/agent/farewell.ts';
import { isUninstalled } from '../../../src/agent/farewell.ts';
import type { ApiClient } from '../../../src/kube/client.ts';
import type { daemonSetRecord } from '../../../src/policy/daemonset.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/upgrade.md'), 'utf8');
const [, manifest = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
const moving = { ...(parse(manifest) as object), uid: 'm' } as unknown as Parameters<
  typeof daemonSetRecord
>[0];

const template = {
  metadata: {
    labels: { 'app.kubernetes.io/name': 'keepalive-operator', 'app.kubernetes.io/component': 'agent' },
  },
};
const agents = (metadata: object) =>
  ({
    metadata: { name: 'keepalive-agent', namespace: 'keepalive-agent', uid: 'a', ...metadata },
    spec: { template },
  }) as Parameters<typeof daemonSetRecord>[0];
const going = agents({ deletionTimestamp: '2026-01-01T00:00:00Z' });
const elsewhere = agents({ namespace: 'platform', uid: 'b' });

/** What an agent finds that is told to end, when those of its own namespace are these. */
function found(own: (typeof going)[]) {
  const client = {
    listPage: ({ namespace }: { namespace?: string }) =>
      Promise.resolve({ items: namespace === 'platform' ? [elsewhere] : own }),
  } as unknown as ApiClient;
  const whereabouts: Whereabouts = {
    namespace: 'keepalive-agent',
    isFollowed: (some) => isFollowed('keepalive-agent', some, { name: 'n1', labels: {} }),
    hasSeenTheEnd: () => true,
  };
  return isUninstalled(client, whereabouts, 1000);
}

test.each([
  ['an agent that is moved to another namespace takes it for an uninstallation', [going], true],
  ['but not beside the DaemonSet that the page on upgrades puts there', [going, moving], false],
])('%s', async (_sentence, own, expected) => {
  expect(await found(own)).toBe(expected);
});

test('what the page puts there starts nothing, and has a name of its own', () => {
  expect(moving).toMatchObject({
    apiVersion: 'apps/v1',
    metadata: { name: 'moving' },
    spec: {
      selector: { matchLabels: { moves: 'keepalive-agent' } },
      template: { spec: { schedulerName: 'nobody' } },
    },
  });
});
