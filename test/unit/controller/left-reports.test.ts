import { beforeEach, afterEach, expect, test } from '@jest/globals';

import { LeftReports } from '../../../src/controller/left-reports.ts';
import { agentsRecord } from '../../../src/controller/record.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import { Contributions } from '../../../src/policy/contribution.ts';
import { pod } from '../../support/builder.ts';
import { HandClock } from '../kube/hand-clock.ts';
import { notebook } from '../kube/world.ts';

const home = 'keepalive-system';
const labels = { 'app.kubernetes.io/name': 'keepalive-operator', 'app.kubernetes.io/component': 'agent' };

let clock: HandClock;
let world: World;
let asked: string[];
let refusal: ApiError | undefined;
let log: ReturnType<typeof notebook>;
let stop: AbortController;
let ended: Promise<void>;

function begin(withoutAgents: boolean): void {
  world = new World(home, { withoutAgents });
  for (const node of ['n1', 'n2']) {
    const said = new Contributions(new Map());
    const uid = `uid-of-${node}`;
    world.nodekeepalives.set(node, { uid, node, version: '1', said, shortened: new Map() });
  }
  const client = {
    delete: ({ name }: { name: string }, { uid }: { uid?: string } = {}) => {
      asked.push(`${name} ${uid}`);
      return refusal === undefined ? Promise.resolve() : Promise.reject(refusal);
    },
  };
  ended = new LeftReports({ client, log: log.log, world, clock }).run(stop.signal);
}
beforeEach(() => {
  clock = new HandClock();
  asked = [];
  refusal = undefined;
  log = notebook();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await ended;
});

async function pass(seconds: number): Promise<void> {
  await clock.asleep(60_000);
  clock.advance(seconds * 1000);
  await new Promise((resolve) => setImmediate(resolve));
}

test('where there are no agents, what they left is removed, by what it is, once they have had time to do so themselves', async () => {
  begin(true);
  await pass(59);
  expect(asked).toEqual([]);
  await pass(1);
  expect(asked).toEqual(['n1 uid-of-n1', 'n2 uid-of-n2']);
});

test('where agents are meant, nothing is waited for', async () => {
  begin(false);
  await ended;
  expect([clock.pending, asked]).toEqual([[], []]);
});

test.each<[whose: string, come: () => void]>([
  [
    'a DaemonSet makes some',
    () => {
      const template = { metadata: { labels } };
      const metadata = { uid: 'd', resourceVersion: '1', namespace: home, name: 'agents' };
      world.daemonsets.set('agents', agentsRecord({ metadata, spec: { template } }) as never);
    },
  ],
  [
    'one runs',
    () => world.pods.set('a', { uid: 'a', ...pod({ name: 'a', namespace: home }), agentReady: true }),
  ],
])('while %s all the same, theirs stay', async (_whose, come) => {
  begin(true);
  come();
  await pass(60);
  expect(asked).toEqual([]);
});

test('what may not be removed is told once, and tried again', async () => {
  begin(true);
  refusal = new ApiError({ status: 403, reason: 'Forbidden', path: 'DELETE', detail: 'by the guard' });
  await pass(60);
  await pass(60);
  expect(asked).toEqual(['n1 uid-of-n1', 'n1 uid-of-n1']);
  expect(log.lines.filter((line) => JSON.stringify(line).includes('cannot be removed'))).toHaveLength(1);
});

test('one that is gone by then keeps no other', async () => {
  begin(true);
  refusal = new ApiError({ status: 404, reason: 'NotFound', path: 'DELETE', detail: '' });
  await pass(60);
  expect(asked).toHaveLength(2);
});
