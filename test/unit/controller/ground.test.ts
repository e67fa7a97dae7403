import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { Ground } from '../../../src/controller/ground.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { fenceAround, staticAdmission } from '../../../src/policy/installation.ts';
import type { Answer } from '../../support/api-server.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { HandClock } from '../kube/hand-clock.ts';

const [policy, binding] = fenceAround('home');
const absent = status(404, 'NotFound');
const slice = (...addresses: string[]) =>
  json({
    metadata: {},
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  });
/** By which API servers tell of themselves, whatever addresses they have. */
const leases = (...names: string[]) =>
  json({ metadata: {}, items: names.map((name) => ({ metadata: { name } })) });
const asked = ['KeepalivePolicy'] as const;

let server: FakeApiServer;
let client: ApiClient;
let world: World;
let clock: HandClock;
let ground: Ground;
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  world = new World('keepalive-agent');
  clock = new HandClock();
  for (const { metadata } of staticAdmission.witnesses)
    world.mutatingadmissionpolicies.set(metadata.name, { uid: 'm', name: metadata.name, differs: undefined });
  ground = new Ground({ client, world, clock, namespace: 'home' });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

const fault = () => ground.fault(asked, new AbortController().signal);

test('where all is as it was installed, it is asked, and looked at again after a minute', async () => {
  server.answers(json(policy), json(binding), slice('10.0.0.1'), leases('apiserver-a'));
  expect(await fault()).toBeUndefined();
  clock.advance(59_000);
  expect(await fault()).toBeUndefined();
  expect(server.asked).toHaveLength(4);
  clock.advance(2_000);
  server.answers(json(policy), absent, slice('10.0.0.1'), leases('apiserver-a'));
  expect(await fault()).toBe('ValidatingAdmissionPolicyBinding dry-run.keepalive.dev is not installed');
});

describe('nothing is asked', () => {
  test.each<[string, Answer[], string]>([
    [
      'is not there',
      [absent, json(binding)],
      'ValidatingAdmissionPolicy dry-run.keepalive.dev is not installed',
    ],
    [
      'was edited',
      [json({ ...policy, spec: { ...policy?.spec, validations: [] } }), json(binding)],
      'ValidatingAdmissionPolicy dry-run.keepalive.dev differs in spec.validations from what this version installs',
    ],
  ])('while the fence %s', async (_how, answers, why) => {
    server.answers(...answers, slice('10.0.0.1'), leases('apiserver-a'));
    expect(await fault()).toBe(why);
  });

  test('in a namespace that the fence does not stand around', async () => {
    const [around] = fenceAround('elsewhere');
    server.answers(json(around), json(binding), slice('10.0.0.1'), leases('apiserver-a'));
    expect(await fault()).toBe(
      'ValidatingAdmissionPolicy dry-run.keepalive.dev differs in spec.matchConstraints.namespaceSelector.matchLabels from what this version installs',
    );
  });
});

test.each<[string, Answer[], boolean]>([
  ['one', [slice('10.0.0.1'), leases('apiserver-a')], false],
  ['three', [slice('10.0.0.1', '10.0.0.2', '10.0.0.3')], true],
  ['two behind one address', [slice('172.20.0.1'), leases('apiserver-a', 'apiserver-b')], true],
  ['one address, and nobody who tells of himself', [slice('172.20.0.1'), leases()], true],
  ['one address, behind which nobody may look', [slice('172.20.0.1'), status(403, 'Forbidden')], true],
  ['nobody knows how many', [status(403, 'Forbidden')], true],
])('of several API servers only one is asked: %s', async (_many, answers, others) => {
  server.answers(json(policy), json(binding), ...answers);
  await fault();
  expect(ground.hasOthers).toBe(others);
});

test('API servers are counted by their leases alone', async () => {
  server.answers(json(policy), json(binding), slice('10.0.0.1'), leases('apiserver-a'));
  await fault();
  expect(server.asked[3]).toMatchObject({
    path: '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases',
    query: { labelSelector: 'apiserver.kubernetes.io/identity=kube-apiserver' },
  });
});
