import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { WebhookKeys } from '../../../src/controller/webhook-keys.ts';
import type { StoredSecret } from '../../../src/controller/webhook-secret.ts';
import { secretRecord } from '../../../src/controller/webhook-secret.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';
import { createLog } from '../../../src/ops/log.ts';
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
/** Without those for what time it is. */
const asked = () => server.asked.filter(({ path }) => path !== '/version');
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
  server.otherwise = (response, asked) => {
    if (asked.path === '/version') return json({}, 200, { date })(response, asked);
    hear(asked.body);
    return json({ metadata: {} })(response, asked);
  };
  client = new ApiClient(plain(server.url));
  world = new World('keepalive-agent', { mode: 'webhook', home: 'home' });
  trust(Object.fromEntries(webhooks.map((one) => [one, ''])));
  clock = new HandClock();
  secrets = new Store<StoredSecret>();
  const log = createLog({ level: 'silent', base: {} });
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
