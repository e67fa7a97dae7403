import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { WebhookKeys } from '../../../src/controller/webhook-keys.ts';
import type { StoredSecret } from '../../../src/controller/webhook-secret.ts';
import { secretRecord } from '../../../src/controller/webhook-secret.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import type { Log } from '../../../src/kube/log.ts';
import { Store } from '../../../src/kube/store.ts';
import { FakeApiServer, json } from '../../support/api-server.ts';
import { until } from '../../cluster/wait.ts';
import { HandClock } from '../kube/hand-clock.ts';

const name = 'pods.keepalive.dev';
const webhooks = [name, 'pods.witness.keepalive.dev'];
let server: FakeApiServer;
let client: ApiClient;
let world: World;
let clock: HandClock;
let secrets: Store<StoredSecret>;
let keys: WebhookKeys;
let ending: AbortController;
let running: Promise<void>;
/** What the API server has on its clock, which is not that of this machine. */
const date = 'Mon, 04 May 2026 10:00:00 GMT';
let warnings: string[];
/** Without the first, which told what time it is. */
const asked = () => server.asked.slice(1);
const received = (count: number) => until(`${count} requests`, () => asked().length >= count);

/** As the watch tells what was applied. */
function hear(applied: unknown): void {
  const object = applied as KubeObject & {
    readonly webhooks?: readonly {
      readonly name: string;
      readonly clientConfig: { readonly caBundle: string };
    }[];
  };
  if (object.webhooks === undefined)
    secrets.set(
      'home/keepalive-webhook',
      secretRecord({ ...object, metadata: { ...object.metadata, uid: 's' } }),
    );
  else trust(Object.fromEntries(object.webhooks.map((one) => [one.name, one.clientConfig.caBundle])));
  keys.changed();
}
function trust(trusted: Record<string, string>): void {
  const host = 'keepalive-webhook.home.svc';
  world.mutatingwebhookconfigurations.set(name, {
    uid: 'w',
    name,
    host,
    trusted,
    leftOut: [],
    differs: undefined,
  });
}

beforeEach(async () => {
  server = await FakeApiServer.start();
  server.answers(json({}, 200, { date }));
  server.otherwise = (response, asked) => {
    hear(asked.body);
    return json({ metadata: {} }, 200, { date })(response, asked);
  };
  client = new ApiClient(plain(server.url));
  await client.serverVersion();
  world = new World('keepalive-agent', { mode: 'webhook', home: 'home' });
  trust(Object.fromEntries(webhooks.map((one) => [one, ''])));
  clock = new HandClock();
  secrets = new Store<StoredSecret>();
  warnings = [];
  const warn = (...given: readonly unknown[]) => void warnings.push(String(given.at(-1)));
  const log = { ...{ info() {}, debug() {}, error() {} }, warn } as unknown as Log;
  keys = new WebhookKeys({ client, world, secrets, clock, log });
  ending = new AbortController();
  running = keys.run(ending.signal);
});
afterEach(async () => {
  ending.abort();
  await running;
  await client.close();
  await server.close();
});

test('API servers are told whom to trust, by name alone, before the certificate is stored', async () => {
  await received(1);
  const [told] = asked();
  expect(told).toMatchObject({
    method: 'PATCH',
    path: `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${name}`,
    query: { fieldManager: 'keepalive-controller-webhook' },
    body: {
      webhooks: webhooks.map((one) => ({
        name: one,
        clientConfig: { caBundle: expect.any(String) },
      })),
    },
  });
  await clock.asleep(2_000);
  clock.advance(2_000);
  await received(2);
  expect(asked()[1]).toMatchObject({
    path: '/api/v1/namespaces/home/secrets/keepalive-webhook',
    body: { metadata: { ownerReferences: [{ kind: 'MutatingWebhookConfiguration', name, uid: 'w' }] } },
  });
  // By the time of those who are to trust it, and from a while before.
  expect([...secrets.list()][0]?.pair?.fromMs).toBe(Date.parse(date) - 86_400_000);
});

test('a Secret that goes is made again with another certificate', async () => {
  await received(1);
  await clock.asleep(2_000);
  clock.advance(2_000);
  await received(2);
  // It has heard what it stored, and waits for its time.
  await clock.asleep(60_000);
  const before = [...secrets.list()][0]?.pair?.certificate;
  secrets.delete('home/keepalive-webhook');
  keys.changed();
  await received(3);
  await clock.asleep(2_000);
  clock.advance(2_000);
  await received(4);
  expect([...secrets.list()][0]?.pair?.certificate).not.toBe(before);
});

/** Told whom to trust, and served by. */
async function settled(): Promise<void> {
  await received(1);
  await clock.asleep(2_000);
  clock.advance(2_000);
  await received(2);
  await clock.asleep(60_000);
}

describe('where another program says whom to trust, as cert-manager does where an annotation asks it to', () => {
  const others = Object.fromEntries(webhooks.map((one) => [one, Buffer.from('others').toString('base64')]));
  const undo = () => {
    trust(others);
    keys.changed();
  };
  beforeEach(async () => {
    await settled();
    server.otherwise = (response, one) => {
      hear(one.body);
      // It hears of each write at once, and answers by its own.
      if (one.path.includes('mutatingwebhookconfigurations')) undo();
      return json({ metadata: {} }, 200, { date })(response, one);
    };
    undo();
  });

  test('it is written again at once, and then later each time, whatever is heard meanwhile', async () => {
    let writes = 3;
    await received(writes);
    const pauses = Array.from({ length: 11 }, (_, index) => Math.min(300_000, 1_000 * 2 ** index));
    for (const pauseMs of pauses) {
      // Of which the clock has taken some by being read.
      await clock.asleep(pauseMs);
      undo();
      await clock.asleep(pauseMs);
      clock.advance(pauseMs * 0.9);
      await clock.asleep(pauseMs * 0.1);
      expect(asked()).toHaveLength(writes);
      clock.advance(pauseMs * 0.1);
      writes += 1;
      await received(writes);
    }
  });

  test('a person is told once, from the second time that it is undone by a write', async () => {
    await received(3);
    expect(warnings).toEqual([]);
    for (const [at, pauseMs] of [1_000, 2_000, 4_000].entries()) {
      await clock.asleep(pauseMs);
      clock.advance(pauseMs);
      await received(4 + at);
    }
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(
      'somebody else writes clientConfig.caBundle of MutatingWebhookConfiguration',
    );
    expect(warnings[0]).toContain('cert-manager.io/inject-ca-from (cert-manager)');
    expect(warnings[0]).toContain('service.beta.openshift.io/inject-cabundle (service-ca of OpenShift)');
  });

  test('another certificate is told of at once all the same', async () => {
    await received(3);
    for (const [at, pauseMs] of [1_000, 2_000, 4_000, 8_000].entries()) {
      await clock.asleep(pauseMs);
      clock.advance(pauseMs);
      await received(4 + at);
    }
    await clock.asleep(16_000);
    const told = JSON.stringify(asked().at(-1)?.body);
    secrets.delete('home/keepalive-webhook');
    keys.changed();
    await received(8);
    expect(JSON.stringify(asked().at(-1)?.body)).not.toBe(told);
  });
});

test('a watch that is behind is no other program: it is told again, and nobody is warned', async () => {
  await settled();
  server.otherwise = json({ metadata: {} }, 200, { date });
  trust(Object.fromEntries(webhooks.map((one) => [one, ''])));
  keys.changed();
  for (let writes = 3; writes < 9; writes += 1) {
    await received(writes);
    await clock.asleep(1_000);
    clock.advance(1_000);
  }
  await received(9);
  expect(warnings).toEqual([]);
});
