import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { Looks } from '../../../src/controller/look.ts';
import { digestOfPods } from '../../../src/policy/pod-digest.ts';
import { digestOfPolicy } from '../../../src/policy/policy-digest.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { pod, team } from '../../support/builder.ts';
import { home, Rig } from './counts-rig.ts';
import { LookRig } from './look-rig.ts';

let api: LookRig;
let rig: Rig;
let looks: Looks;

/** An edition of a policy for jobs, with no status of it yet. */
function edit(generation: number, uid = 'jobs'): void {
  // What audits needs nobody else than agents.
  const policy = team(90, { mode: 'Audit' }, 'jobs');
  const record: PolicyRecord = {
    ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'jobs', uid, generation },
    ...{ policy, problems: undefined, status: {}, createdAt: '2026-05-04T10:00:00Z' },
  };
  rig.put('keepalivepolicies', 'db/jobs', record);
}

function job(node: string, name = `of-${node}`): void {
  const view = pod({ name, namespace: 'db', spec: { nodeName: node } });
  rig.put('pods', `db/${name}`, { ...view, uid: name, agentReady: undefined });
}

function agent(node: string, agentReady: boolean): void {
  const view = pod({ name: node, namespace: home, spec: { nodeName: node } });
  rig.put('pods', `${home}/${node}`, { ...view, uid: node, agentReady });
}

/** Its one job was read for that generation. */
function tell(node: string, observedGeneration: number, uid = 'jobs'): void {
  const counts = { selected: 1, live: 1, podsDigest: digestOfPods([`of-${node}`]) };
  const policyDigest = digestOfPolicy(uid, team(90).effective);
  rig.report(node, [
    { kind: 'KeepalivePolicy', namespace: 'db', name: 'jobs', observedGeneration, policyDigest, ...counts },
  ]);
}

async function conditions(): Promise<Record<string, string>> {
  const look = await looks.at('db/jobs');
  if (look === undefined || look === 'another') throw new Error('there is no policy to look at');
  const { conditions: told = [] } = look.planned.status;
  return Object.fromEntries(told.map(({ type, status, message }) => [type, `${status}: ${message}`]));
}
const awaiting = (...nodes: string[]) =>
  expect.stringContaining(`False: Waiting for the agents of ${nodes.join(', ')} to report`) as unknown;
const ready = expect.stringContaining('True') as unknown;

beforeEach(async () => {
  api = await LookRig.start();
  rig = new Rig();
  looks = api.looks(rig);
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  for (const node of ['n1', 'n2', 'n3']) {
    agent(node, true);
    rig.report(node, []);
  }
  job('n1');
  job('n2');
  tell('n1', 1);
  tell('n2', 1);
  edit(2);
  expect(await conditions()).toMatchObject({ Ready: awaiting('n1', 'n2') });
});
afterEach(() => api.close());

test('nodes on which the first job lands while others are waited for do not keep a policy from Ready, and Covered tells of them', async () => {
  tell('n1', 2);
  job('n3');
  expect(await conditions()).toMatchObject({ Ready: awaiting('n2') });
  tell('n2', 2);
  expect(await conditions()).toMatchObject({
    Ready: ready,
    Covered: expect.stringContaining('Unknown: The agents of n3 have not reported') as unknown,
  });
});

test('a node is waited for until its last job is gone, and not again with the next one', async () => {
  tell('n1', 2);
  rig.put('pods', 'db/of-n2', undefined);
  expect(await conditions()).toMatchObject({ Ready: ready });
  rig.report('n2', []);
  job('n2');
  expect(await conditions()).toMatchObject({ Ready: ready });
});

test('a node that is away is not waited for, nor when it is back', async () => {
  tell('n1', 2);
  agent('n2', false);
  expect(await conditions()).toMatchObject({ Ready: ready });
  agent('n2', true);
  expect(await conditions()).toMatchObject({ Ready: ready });
});

test('the next edit is waited for by itself, and so is a policy that was made anew under the name', async () => {
  tell('n1', 2);
  edit(3);
  expect(await conditions()).toMatchObject({ Ready: awaiting('n1', 'n2') });
  tell('n1', 3);
  tell('n2', 3);
  expect(await conditions()).toMatchObject({ Ready: ready });
  rig.put('keepalivepolicies', 'db/jobs', undefined);
  edit(3, 'again');
  expect(await conditions()).toMatchObject({ Ready: awaiting('n1', 'n2') });
});

test('a controller that has just begun waits for those that are awaited by then', async () => {
  tell('n1', 2);
  job('n3');
  looks = api.looks(rig);
  expect(await conditions()).toMatchObject({ Ready: awaiting('n2', 'n3') });
});

test('what could not act meanwhile is waited for anew: agents let go of it', async () => {
  tell('n1', 2);
  tell('n2', 2);
  expect(await conditions()).toMatchObject({ Ready: ready });
  rig.limit('0');
  expect(await conditions()).toMatchObject({ Stalled: ready });
  for (const node of ['n1', 'n2']) rig.report(node, []);
  rig.limit('50');
  expect(await conditions()).toMatchObject({ Ready: awaiting('n1', 'n2') });
});
