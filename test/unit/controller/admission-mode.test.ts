import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { findAdmission, untilServedOtherwise } from '../../../src/controller/admission-mode.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { createLog } from '../../../src/ops/log.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { HandClock } from '../kube/hand-clock.ts';

let server: FakeApiServer;
let client: ApiClient;
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
});
afterEach(async () => {
  await client.close();
  await server.close();
});

const serving = (...names: readonly string[]) => json({ resources: names.map((name) => ({ name })) });
const before = serving('mutatingwebhookconfigurations', 'validatingadmissionpolicies');
const after = serving('mutatingwebhookconfigurations', 'mutatingadmissionpolicies');

describe('what changes new pods', () => {
  const { signal } = new AbortController();
  const log = createLog({ level: 'silent', base: {} });

  test.each([
    ['auto', after, 'policy', true],
    ['auto', before, 'webhook', false],
    ['webhook', after, 'webhook', true],
    ['policy', before, 'policy', false],
  ] as const)(
    'is, where %s is wanted, what the API server serves',
    async (wanted, served, mode, servesPolicies) => {
      server.answers(served);
      expect(await findAdmission(client, wanted, { log, signal })).toEqual({ mode, servesPolicies });
    },
  );
});

describe.each([
  ['are not, as before an upgrade', false, before, after],
  ['are, as before a rollback', true, after, before],
])('where policies %s, whether they are served is asked again', (_sentence, servesPolicies, same, other) => {
  let clock: HandClock;
  let ending: AbortController;
  let isOver: boolean;
  let asking: Promise<void>;
  const longestMs = 1_200_000;
  beforeEach(() => {
    clock = new HandClock();
    ending = new AbortController();
    isOver = false;
    const options = { clock, signal: ending.signal, random: () => 1 };
    asking = untilServedOtherwise(client, { servesPolicies }, options).then(() => {
      isOver = true;
    });
  });
  afterEach(async () => {
    ending.abort();
    await asking;
  });

  test('until it is otherwise, whatever goes wrong meanwhile', async () => {
    const unclear = [status(503, 'ServiceUnavailable'), status(404, 'NotFound'), serving(), json({})];
    server.answers(same, ...unclear, other);
    for (const _ of [same, ...unclear, other]) {
      expect(isOver).toBe(false);
      await clock.asleep(longestMs);
      clock.advance(longestMs);
    }
    await asking;
    expect(isOver).toBe(true);
    expect(server.asked).toHaveLength(unclear.length + 2);
  });

  test('not before a while is over, and not after the end', async () => {
    clock.advance(longestMs - 1);
    expect(server.asked).toEqual([]);
    ending.abort();
    await asking;
    expect(server.asked).toEqual([]);
  });
});
