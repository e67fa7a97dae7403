import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import { contributionOf, Contributions } from '../../../src/policy/contribution.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { reportBytes } from '../../../src/policy/report-budget.ts';
import { pod, team } from '../../support/builder.ts';
import { home, Rig } from './counts-rig.ts';

let rig: Rig;

const said = (name: string, message = 'left as it is'): NodePolicyReport => ({
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name, observedGeneration: 1, selected: 1, live: 0 },
  ...{ findings: [{ pod: 'a', reason: 'SkipLabel', message }], findingsTotal: 1 },
});
const policy = (name: string): PolicyRecord => ({
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name, uid: name, generation: 1, problems: undefined },
  ...{ policy: team(90, {}, name), status: {} },
});
const put = (name: string) => {
  rig.put('keepalivepolicies', `db/${name}`, policy(name));
};
const remove = (name: string) => {
  rig.put('keepalivepolicies', `db/${name}`, undefined);
};
/** What is kept of the words of the node about a policy, whatever version of its report they are of. */
const keptOf = (name: string, node = 'n1') =>
  Array.from({ length: 300 }, (_, version) => rig.world.told.get(`db/${name}`, node, String(version))).filter(
    (words) => words !== undefined,
  );

beforeEach(() => {
  rig = new Rig();
  rig.put('namespaces', 'db', { uid: 'db', name: 'db', labels: {} });
  rig.put('nodes', 'n1', { uid: 'n1', name: 'n1', labels: {} });
  const onNode = (name: string, namespace: string) => pod({ name, namespace, spec: { nodeName: 'n1' } });
  rig.put('pods', `${home}/n1`, { ...onNode('n1', home), uid: 'n1', agentReady: true });
  rig.put('pods', 'db/a', { ...onNode('a', 'db'), uid: 'a', agentReady: undefined });
});

describe('words about a policy', () => {
  test('that is there are kept, as the node said them last', () => {
    put('own');
    rig.report('n1', [said('own', 'one')]);
    rig.report('n1', [said('own', 'other')]);
    expect(keptOf('own')).toMatchObject([[{ message: 'other' }]]);
  });

  test('that is not there are not kept, however many names a node makes up', () => {
    for (let turn = 0; turn < 200; turn += 1) rig.report('n1', [said(`made-up-${turn}`)]);
    for (let turn = 0; turn < 200; turn += 1) expect(keptOf(`made-up-${turn}`)).toEqual([]);
  });

  test('that comes after them are told at its first look', async () => {
    rig.report('n1', [said('own')]);
    put('own');
    expect(await rig.kept('db/own')).toMatchObject({ findings: [{ reason: 'SkipLabel', pod: 'a' }] });
  });

  test('that went are let go, and what was on its way is not taken, also where nobody leads', () => {
    put('own');
    rig.report('n1', [said('own')]);
    remove('own');
    expect(keptOf('own')).toEqual([]);
    rig.report('n1', [said('own')]);
    put('own');
    expect(keptOf('own')).toEqual([]);
  });

  test.each<[string, NodePolicyReport[] | undefined]>([
    ['does not speak of it any more', []],
    ['is gone', undefined],
  ])('are let go where the node %s', (_sentence, report) => {
    put('own');
    rig.report('n1', [said('own')]);
    rig.report('n1', report);
    expect(keptOf('own')).toEqual([]);
  });
});

test('a report that is longer than any of an agent is not read, and its node is one of which nobody hears', async () => {
  put('own');
  const long = { policies: [], agentVersion: 'x'.repeat(reportBytes) };
  const metadata = { name: 'n1', uid: 'n1', resourceVersion: '7' };
  expect(() => rig.world.reportRecord({ metadata, status: long })).toThrow(
    /^\d+ bytes are not of an agent, which never writes more than 262144$/,
  );
  const [away] = (await rig.kept('db/own'))?.findings ?? [];
  expect(away).toMatchObject({ reason: 'NodeAway', node: 'n1' });
  expect(away?.message).toContain('or nothing that can be read');
});

describe('what two reports say otherwise', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  const reports = fc
    .tuple(names, fc.array(fc.nat(1), { minLength: 5, maxLength: 5 }))
    .map(([order, live]) => new Map(order.map((name, at) => [name, live[at] ?? 0])));
  const of = (report: ReadonlyMap<string, number>) =>
    new Contributions(
      new Map([...report].map(([name, live]) => [name, contributionOf('n1', { ...said(name), live })])),
    );

  test('is found in whatever order they speak', () => {
    fc.assert(
      fc.property(reports, reports, (before, now) => {
        const all = [...new Set([...before.keys(), ...now.keys()])];
        const otherwise = all.filter((name) => before.get(name) !== now.get(name));
        expect(Contributions.differing(of(before), of(now)).sort()).toEqual(otherwise.sort());
        expect(Contributions.unsaid(of(before), of(now))).toEqual(
          [...before.keys()].filter((name) => !now.has(name)),
        );
      }),
    );
  });

  test('is found by reading each name a few times, also where one has all of them the other way round', () => {
    const count = 1000;
    let reads = 0;
    const counted = (contributions: Contributions) =>
      Object.assign(contributions, {
        policies: new Proxy(contributions.policies, {
          get(target, key) {
            reads += 1;
            return Reflect.get(target, key) as unknown;
          },
        }),
      });
    const list = Array.from({ length: count }, (_, index) => [`p${index}`, 1] as const);
    const [one, other] = [of(new Map(list)), of(new Map(list.toReversed()))];
    expect(Contributions.differing(counted(one), counted(other))).toEqual([]);
    expect(reads).toBeLessThan(20 * count);
  });
});
