import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { timestamp } from '../../../src/api/condition.ts';
import { Activations } from '../../../src/controller/activation.ts';
import { Looks } from '../../../src/controller/look.ts';
import { watchRefusedPods } from '../../../src/controller/watch.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import { awaited } from '../../../src/policy/evidence.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, stream } from '../../support/api-server.ts';
import { team } from '../../support/builder.ts';
import { Rig } from './counts-rig.ts';

const minute = 60_000;
let server: FakeApiServer;
let client: ApiClient;
let rig: Rig;
let ending: AbortController;
let watching: Promise<void>;

beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  rig = new Rig();
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort();
  await watching;
  await client.close();
  await server.close();
});

/** What a look at a policy of `db`, made a second ago, says after pods were refused there; all but the look by the clock of the control plane. */
async function saidWhereAheadBy(minutes: number, claimedMs = 0) {
  const now = Date.now() - minutes * minute;
  const record: PolicyRecord = {
    ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'own', uid: 'own', generation: 1 },
    ...{ policy: team(90, {}, 'own'), problems: undefined, status: {} },
    createdAt: timestamp(new Date(now - 1_000)),
  };
  rig.put('keepalivepolicies', 'db/own', record);
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'refused', namespace: 'db', uid: 'e', resourceVersion: '5' },
    message: 'pods "web-1" is forbidden: forbidden sysctls (net.ipv4.tcp_keepalive_time)',
    lastTimestamp: timestamp(new Date(now + claimedMs)),
  };
  const dated: Answer = (response, asked) => {
    response.setHeader('date', new Date(now).toUTCString());
    return stream({ type: 'ADDED', object: event })(response, asked);
  };
  server.answers(dated);
  await new Promise<void>((resolve) => {
    const log = createLog({ level: 'silent', base: {} });
    const options = { client, log, world: rig.world, onChange: () => undefined };
    watching = watchRefusedPods(options, () => resolve()).reflector.run(ending.signal);
  });
  const activations = new Activations(systemClock);
  const how = { evidenceOf: () => awaited, unheard: () => [] };
  const looks = new Looks({ client, world: rig.world, activations, ...how });
  const look = await looks.at('db/own');
  if (look === undefined || look === 'another') throw new Error('there is nothing to look at');
  return { status: look.planned.status, now };
}

test.each([
  ['as late as', 0],
  ['20 min ahead of', 20],
  ['a day ahead of', 1440],
  ['a minute behind', -1],
  ['an hour behind', -60],
])(
  'a refusal is heard of, and what is said has its time, where the clock of the controller is %s that of the API server',
  async (_where, minutes) => {
    const { status, now } = await saidWhereAheadBy(minutes);
    expect(status.refusals).toMatchObject([{ namespace: 'db', admission: 'Withheld', times: 1 }]);
    const times = [
      ...(status.refusals ?? []).flatMap(({ since, refusedAt }) => [since, refusedAt]),
      // By which it is told of a pod whether admission missed it: the API server stamps when it was made.
      ...(status.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime),
    ];
    for (const time of times) expect(Math.abs(Date.parse(time) - now)).toBeLessThan(minute / 2);
  },
);

test('a claim of before the policy was there is not about it, however late that is by the API server', async () => {
  const { status } = await saidWhereAheadBy(60, -30 * minute);
  expect(status.refusals).toBeUndefined();
});

test('a claim of a time to come is taken for the time of the API server', async () => {
  const { status, now } = await saidWhereAheadBy(60, 50 * minute);
  const [refusal] = status.refusals ?? [];
  expect(Math.abs(Date.parse(refusal?.refusedAt ?? '') - now)).toBeLessThan(minute / 2);
});
