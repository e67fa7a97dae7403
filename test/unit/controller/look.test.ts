import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { findingLimit } from '../../../src/api/status.ts';
import type { Looks } from '../../../src/controller/look.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { pod, team } from '../../support/builder.ts';
import { LoopTurns } from '../../support/loop-turns.ts';
import { home, Rig } from './counts-rig.ts';
import { LookRig } from './look-rig.ts';

let api: LookRig;
let rig: Rig;

beforeEach(async () => {
  api = await LookRig.start();
  rig = new Rig();
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
});
afterEach(() => api.close());

/** Ready since the time told: later pods without values were missed by admission. */
function putPolicy(name: string, readyAt?: string): void {
  const ready = {
    ...{ type: 'Ready' as const, status: 'True' as const, reason: 'Enforced', message: '' },
    ...{ observedGeneration: 1, lastTransitionTime: readyAt ?? '' },
  };
  const record: PolicyRecord = {
    ...{ kind: 'KeepalivePolicy', namespace: 'db', name, uid: name, generation: 1, problems: undefined },
    ...{ policy: team(90, {}, name), status: readyAt === undefined ? {} : { conditions: [ready] } },
  };
  rig.put('keepalivepolicies', `db/${name}`, record);
}

/** A pod on a node of its own, whose agent is ready. */
function putPod(node: string): void {
  const on = (name: string, namespace: string) => pod({ name, namespace, spec: { nodeName: node } });
  const own = { ...on(`of-${node}`, 'db'), uid: node, agentReady: undefined };
  rig.put('pods', `db/of-${node}`, { ...own, createdAtMs: Date.parse('2026-05-04T11:00:00Z') });
  rig.put('pods', `${home}/${node}`, { ...on(node, home), uid: node, agentReady: true });
}

const said = (name: string, rest: Partial<NodePolicyReport> = {}): NodePolicyReport => ({
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name, observedGeneration: 1, selected: 1, live: 1, ...rest },
});

/** What the API server has of a node by now. */
function written(node: string, resourceVersion: string, policies: readonly NodePolicyReport[]) {
  const object = { metadata: { name: node, uid: node, resourceVersion }, status: { policies } };
  api.held.set(node, object);
  return object;
}

async function findings(name: string): Promise<string[]> {
  const look = await api.looks(rig).at(`db/${name}`);
  if (look === undefined || look === 'another') throw new Error(`there is no ${name} to look at`);
  const { findings: found = [] } = look.planned.status;
  return found.filter(({ pod: one }) => one !== undefined).map(({ reason, pod: one }) => `${reason} ${one}`);
}

test('a node that has nothing to tell of its pods is not asked for words, whatever their specs have to tell', async () => {
  putPolicy('own', '2026-05-04T10:00:00Z');
  for (const node of ['n1', 'n2', 'n3']) {
    putPod(node);
    rig.put('nodekeepalives', node, rig.world.reportRecord(written(node, '5', [said('own')])));
  }
  const expected = ['n1', 'n2', 'n3'].map((node) => `MissedByAdmission of-${node}`);
  for (const _ of ['first', 'second']) expect(await findings('own')).toEqual(expected);
  expect(api.asked).toBe(0);
});

test('words that are read for a policy are not held for others of whom the same nodes tell', async () => {
  putPolicy('own');
  putPolicy('other');
  const message = 'the kernel holds 7200/75/9';
  const told = Array.from({ length: findingLimit }, (_, at) => ({
    reason: 'NotLive',
    pod: `p${at}`,
    message,
  }));
  const exposed = { live: 0, findings: told, findingsTotal: told.length };
  const nodes = Array.from({ length: 12 }, (_, at) => `n${at}`);
  for (const node of nodes) {
    putPod(node);
    const report = written(node, '5', [said('own', exposed), said('other', exposed)]);
    rig.put('nodekeepalives', node, rig.world.reportRecord(report));
  }
  // One after the other is put right, so that it is the turn of the next.
  for (const node of nodes) {
    await findings('own');
    const report = written(node, '6', [said('own'), said('other', exposed)]);
    rig.put('nodekeepalives', node, rig.world.reportRecord(report));
  }
  expect(api.asked).toBeGreaterThan(5);
  const kept = nodes.flatMap((node) => rig.world.told.newest('db/other', node));
  expect(kept.length).toBeLessThanOrEqual(3 * findingLimit);
});

describe('looks at the same time', () => {
  const names = ['a', 'b', 'c', 'd'];
  let looks: Looks;
  beforeEach(async () => {
    names.forEach((name) => putPolicy(name));
    looks = api.looks(rig);
    // What follows has nothing left to count.
    for (const name of names) await looks.at(`db/${name}`);
  });
  const lookAtAll = () => Promise.all(names.map((name) => looks.at(`db/${name}`)));

  test('have a turn of the event loop each', async () => {
    const loop = new LoopTurns();
    const turns: number[] = [];
    api.onLook = () => turns.push(loop.count);
    await lookAtAll();
    loop.stop();
    expect(turns).toHaveLength(names.length);
    expect(new Set(turns).size).toBe(names.length);
  });

  test('see what came while they waited for their turn, counted', async () => {
    api.onLook = () => {
      api.onLook = () => undefined;
      setImmediate(() => {
        putPod('n1');
        rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: { team: 'red' } });
      });
    };
    const selected = (await lookAtAll()).map((look) =>
      look === undefined || look === 'another' ? look : look.planned.status.pods?.selected,
    );
    expect(selected).toEqual([0, 1, 1, 1]);
  });

  test('leave one that was edited while it waited to whoever looks at it then', async () => {
    api.onLook = () => {
      api.onLook = () => undefined;
      const edited = { ...rig.world.policy('db/d'), generation: 2, policy: team(45, {}, 'd') };
      setImmediate(() => rig.put('keepalivepolicies', 'db/d', edited as PolicyRecord));
    };
    rig.woken.clear();
    expect((await lookAtAll()).indexOf('another')).toBe(3);
    expect([...rig.woken]).toContain('db/d');
  });
});

describe('while a list of reports comes in, and is not whole yet', () => {
  const fault = { reason: 'NotReachable', pod: 'of-n1', message: 'why' };
  const exposed = { live: 0, findings: [fault], findingsTotal: 1 };
  const connections = { established: 7, protected: 7, exposed: 0 };

  test('what a node has told of one policy stays in its status, where the newer report only says more of another', async () => {
    putPolicy('own');
    putPolicy('other');
    putPod('n1');
    const before = written('n1', '5', [said('own', exposed), said('other')]);
    rig.put('nodekeepalives', 'n1', rig.world.reportRecord(before));
    expect(await findings('own')).toEqual(['NotReachable of-n1']);
    const now = rig.world.reportRecord(
      written('n1', '6', [said('own', exposed), said('other', { connections })]),
    );
    rig.world.nodekeepalives.replacement().set('n1', now);
    expect(await findings('own')).toEqual(['NotReachable of-n1']);
    rig.woken.clear();
    rig.put('nodekeepalives', 'n1', now);
    // So nobody would put right what a look in between had left out.
    expect([...rig.woken]).toEqual(['db/other']);
    expect(await findings('own')).toEqual(['NotReachable of-n1']);
  });

  test('what the newer report says otherwise is told once it is known', async () => {
    putPolicy('own');
    putPod('n1');
    const before = written('n1', '5', [said('own', exposed)]);
    rig.put('nodekeepalives', 'n1', rig.world.reportRecord(before));
    const now = rig.world.reportRecord(written('n1', '6', [said('own')]));
    expect(await findings('own')).toEqual([]);
    rig.woken.clear();
    rig.put('nodekeepalives', 'n1', now);
    expect([...rig.woken]).toEqual(['db/own']);
  });
});
