import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { Activations } from '../../../src/controller/activation.ts';
import { Witness } from '../../../src/controller/witness.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import { fenceAround, staticAdmission } from '../../../src/policy/installation.ts';
import type { Asked } from '../../support/api-server.ts';
import { FakeApiServer, json } from '../../support/api-server.ts';
import { team } from '../../support/builder.ts';
import { HandClock } from '../kube/hand-clock.ts';
import { notebook } from '../kube/world.ts';

const mark = 'witness.keepalive.dev/keepalivepolicies';
const stepMs = 20;
/** How often an API server takes up bindings. */
const takesUpMs = 1000;

interface Binding {
  readonly spec: {
    readonly paramRef: { readonly namespace: string; readonly name: string };
    readonly matchResources: { readonly objectSelector: { readonly matchLabels: Record<string, string> } };
  };
}
interface Pod {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
}

let server: FakeApiServer;
let client: ApiClient;
let world: World;
let clock: HandClock;
let activations: Activations;
let witness: Witness;
let stop: AbortController;
let running: Promise<void>;
/** What was written last, and what the API server acts by. */
let bound: Binding | undefined;
let taken: Binding | undefined;
let version: number;
let passedMs: number;

beforeEach(async () => {
  server = await FakeApiServer.start();
  server.otherwise = (response, asked) => json(answerTo(asked))(response, asked);
  client = new ApiClient(plain(server.url));
  world = new World('keepalive-agent');
  for (const { metadata } of staticAdmission.witnesses)
    world.mutatingadmissionpolicies.set(metadata.name, { uid: 'm', name: metadata.name, differs: undefined });
  clock = new HandClock();
  activations = new Activations(clock);
  [bound, taken, version, passedMs] = [undefined, undefined, 1, 0];
  witness = new Witness({
    ...{ client, world, activations, clock, log: notebook().log, namespace: 'home' },
    isInterrupted: () => false,
    onNews: (keys) => {
      for (const key of keys) if (!activations.isAwaited(key)) activations.note(key, { activation: 'none' });
    },
    onAnswer: () => undefined,
  });
  stop = new AbortController();
  running = witness.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.close();
});

function answerTo({ method, path, body }: Asked): unknown {
  if (method === 'PATCH') return (bound = body as Binding);
  if (method === 'POST') return seenBy(body as Pod);
  if (path.endsWith('/leases')) return { metadata: {}, items: [{ metadata: { name: 'apiserver-a' } }] };
  const found = fenceAround('home').find(({ kind }) =>
    path.includes(kind === 'ValidatingAdmissionPolicy' ? 'policies/' : 'policybindings/'),
  );
  return found ?? { metadata: {}, endpoints: [{ addresses: ['10.0.0.1'] }] };
}

function seenBy(pod: Pod): Pod {
  const { labels, annotations } = pod.metadata;
  const { paramRef, matchResources } = taken?.spec ?? {};
  const policy = world.policy(`${paramRef?.namespace}/${paramRef?.name}`);
  const isAsked = matchResources?.objectSelector.matchLabels[mark] === labels[mark];
  if (policy === undefined || !isAsked) return pod;
  const seen = { ...annotations, [mark]: `${policy.uid}/${policy.resourceVersion}` };
  return { ...pod, metadata: { ...pod.metadata, annotations: seen } };
}

function write(namespace: string, name: string): void {
  const resourceVersion = String((version += 1));
  const uid = world.policy(`${namespace}/${name}`)?.uid ?? `made-${version}`;
  world.keepalivepolicies.set(`${namespace}/${name}`, {
    ...{ kind: 'KeepalivePolicy', namespace, name, uid, resourceVersion, generation: version },
    ...{ policy: team(90, {}, name, namespace), problems: undefined, status: {} },
  });
  activations.note(`${namespace}/${name}`, { activation: 'begins' });
  witness.poke();
}

function remove(namespace: string, name: string): void {
  world.keepalivepolicies.delete(`${namespace}/${name}`);
  activations.forget(`${namespace}/${name}`);
}

/** Until the policy was seen, or for so long; what others do meanwhile, they do in each step. */
async function seenAfterMs(policy: string, atMostMs: number, others: (ms: number) => void): Promise<number> {
  for (let ms = 0; ms < atMostMs; ms += stepMs) {
    if (!activations.isAwaited(policy)) return ms;
    await step(others);
  }
  return Infinity;
}

async function step(others: (ms: number) => void): Promise<void> {
  await clock.asleep(10_000);
  clock.advance(stepMs);
  passedMs += stepMs;
  if (passedMs % takesUpMs === 0) taken = bound;
  others(passedMs);
}

const inTurn = (policies: number, everyMs: number) => (ms: number) => {
  if (ms % everyMs === 0) write('other', `p${(ms / everyMs) % policies}`);
};
const madeAndDeleted = (everyMs: number) => (ms: number) => {
  if (ms % everyMs !== 0) return;
  remove('other', `p${ms / everyMs - 1}`);
  write('other', `p${ms / everyMs}`);
};

test.each<[string, (ms: number) => void]>([
  ['nobody else writes', () => undefined],
  ['one policy of somebody else is written ten times a second', inTurn(1, 100)],
  ['two in turn, ten times a second', inTurn(2, 100)],
  ['seven in turn, in each step', inTurn(7, stepMs)],
  ['seven in turn, whenever bindings are taken up', inTurn(7, 500)],
  ['two in turn, a little more often than bindings are taken up', inTurn(2, 900)],
  ['others are made and deleted at once', madeAndDeleted(100)],
  ['others are made and deleted a little more often than bindings are taken up', madeAndDeleted(900)],
])('a policy is seen within three passes where %s', async (_how, others) => {
  write('db', 'first');
  expect(await seenAfterMs('db/first', 5000, () => undefined)).toBeLessThan(3000);
  for (let steps = 0; steps < 100; steps += 1) await step(others);
  write('db', 'mine');
  expect(await seenAfterMs('db/mine', 20_000, others)).toBeLessThanOrEqual(3 * takesUpMs + 500);
});

test('of a policy that was passed over nothing is believed before it was asked about itself', async () => {
  write('db', 'first');
  await seenAfterMs('db/first', 5000, () => undefined);
  write('db', 'mine');
  write('other', 'gone');
  for (let steps = 0; steps < 10; steps += 1) await step(() => undefined);
  remove('other', 'gone');
  write('other', 'stays');
  await seenAfterMs('db/mine', 5000, () => undefined);
  expect(activations.isAwaited('other/stays')).toBe(true);
  expect(await seenAfterMs('other/stays', 5000, () => undefined)).toBeLessThanOrEqual(2 * takesUpMs);
});
