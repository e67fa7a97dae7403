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
  server.answers(json(policy), json(binding), slice('10.0.0.1'));
  expect(await fault()).toBeUndefined();
  clock.advance(59_000);
  expect(await fault()).toBeUndefined();
  expect(server.asked).toHaveLength(3);
  clock.advance(2_000);
  server.answers(json(policy), absent, slice('10.0.0.1'));
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
    server.answers(...answers, slice('10.0.0.1'));
    expect(await fault()).toBe(why);
  });

  test('in a namespace that the fence does not stand around', async () => {
    const [around] = fenceAround('elsewhere');
    server.answers(json(around), json(binding), slice('10.0.0.1'));
    expect(await fault()).toBe(
      'ValidatingAdmissionPolicy dry-run.keepalive.dev differs in spec.matchConstraints.namespaceSelector.matchLabels from what this version installs',
    );
  });
});

test.each<[string, Answer, boolean]>([
  ['one', slice('10.0.0.1'), false],
  ['three', slice('10.0.0.1', '10.0.0.2', '10.0.0.3'), true],
  ['nobody knows how many', status(403, 'Forbidden'), true],
])('of several API servers only one is asked: %s', async (_many, answer, others) => {
  server.answers(json(policy), json(binding), answer);
  await fault();
  expect(ground.hasOthers).toBe(others);
});
