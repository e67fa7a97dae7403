import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { all } from '../cluster/wait.ts';
import { Bench, condition, isReady, kap, sleeper, untouched } from './shared.ts';
import { reportBytes } from '../../src/policy/report-budget.ts';

const bench = new Bench();
const tenant = 'e2e-heap';
const neighbour = 'e2e-heap-neighbour';
const node = 'n1';
const pods = 20;
const policies = 500;
const kubectls = 4;
const asTenant = ['kubectl', `--as=system:serviceaccount:${tenant}:tenant`, '-n', tenant];
const theirs = { kind: 'kap', name: 'theirs', namespace: neighbour } as const;
const names = Array.from({ length: policies }, (_, at) => `policy-${at}`);
let restartsBefore: number;

/** Of every container of ours, since it was made. */
async function restarts(): Promise<number> {
  const of = async (namespace: string) => {
    const { items } = await bench.json<{
      items: readonly { status: { containerStatuses?: readonly { restartCount: number }[] } }[];
    }>('pods', '-n', namespace);
    return items.flatMap(({ status }) => status.containerStatuses ?? []).map((one) => one.restartCount);
  };
  const counts = [...(await of('keepalive-agent')), ...(await of('keepalive-system'))];
  return counts.reduce((sum, count) => sum + count, 0);
}

async function pile(of: readonly string[]): Promise<void> {
  const heap = of.map((name) => JSON.stringify(kap(tenant, name, 90, { mode: 'Audit' })));
  const { code, stderr } = await bench.cluster.exec([...asTenant, 'create', '-f', '-'], {
    stdin: heap.join('\n---\n'),
  });
  if (code !== 0) throw new Error(stderr);
}

beforeAll(async () => {
  for (const namespace of [tenant, neighbour]) await bench.namespace(namespace);
  await bench.cluster.kubectl('create', 'serviceaccount', 'tenant', '-n', tenant);
  await bench.cluster.kubectl(
    ...['create', 'rolebinding', 'tenant', '-n', tenant, '--clusterrole=edit'],
    `--serviceaccount=${tenant}:tenant`,
  );
  const onNode = { spec: { nodeName: node } };
  await bench.apply(
    ...Array.from({ length: pods }, (_, at) => sleeper(`pod-${at}`, tenant, onNode)),
    sleeper('pod', neighbour, onNode),
  );
  const ready = ['--all', '--for=condition=Ready', '--timeout=60s'];
  for (const namespace of [tenant, neighbour])
    await bench.cluster.kubectl('wait', 'pod', '-n', namespace, ...ready);
  restartsBefore = await restarts();
  // One kubectl makes them one after the other, and no more than 50 a second.
  await all(
    Array.from({ length: kubectls }, (_, at) => pile(names.filter((_name, i) => i % kubectls === at))),
  );
});
afterAll(() => bench.cluster.kubectl('delete', 'namespace', tenant, neighbour, '--wait=false'));

describe('500 policies that one namespace’s owner piles up over 20 pods of a node', () => {
  test('do not keep another team’s new policy on that node from becoming Ready, nor its next change', async () => {
    await bench.apply(kap(neighbour, theirs.name, 90));
    await bench.status(theirs);
    await bench.untilValuesIn('pod', neighbour, '30/10/6');
    await bench.apply(kap(neighbour, theirs.name, 60));
    const status = await bench.status(theirs, (now) => isReady(now) && now.pods?.live === 1);
    expect(status.findings ?? []).toEqual([]);
    expect(await bench.valuesIn('pod', neighbour)).toBe('20/7/6');
  });

  test('are all counted in a report that has a bound, in which they share what there is', async () => {
    const status = await bench.report(node, (report) => {
      const ofTenant = (report.policies ?? []).filter(({ namespace }) => namespace === tenant);
      return ofTenant.length === policies && ofTenant.every(({ connections }) => connections);
    });
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(reportBytes);
    const ofTenant = (status?.policies ?? []).filter(({ namespace }) => namespace === tenant);
    for (const one of ofTenant) expect(one).toMatchObject({ selected: pods, live: 0, findingsTotal: pods });
    expect(status?.shortened).toEqual([{ namespace: tenant, policies, leftOut: 0 }]);
    expect(await bench.valuesIn('pod-0', tenant)).toBe(untouched);
  });

  test('are told of it themselves, the first and the last', async () => {
    for (const name of [names[0], names.at(-1)]) {
      // The agent told of fewer before: what it told then is in the status for a moment longer.
      const status = await bench.status({ kind: 'kap', name: name ?? '', namespace: tenant }, (now) =>
        (now.findings ?? []).some(
          ({ reason, message }) =>
            reason === 'ReportTooLong' && message.includes(`namespace ${tenant} has ${policies} policies`),
        ),
      );
      expect(status.pods).toMatchObject({ selected: pods, live: 0 });
      expect(condition(status, 'Covered')?.status).toBe('False');
    }
  });

  test('cost no process of ours a restart', async () => {
    expect(await restarts()).toBe(restartsBefore);
  });
});
