import { isDeepStrictEqual } from 'node:util';

import { afterAll, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { until } from '../cluster/wait.ts';
import type { PolicyName } from '../e2e/shared.ts';
import { Bench, condition } from '../e2e/shared.ts';
import type { Case, Manifest } from './case.ts';
import { readCases } from './case.ts';
import { Connections } from './connections.ts';
import { documentsOf } from '../support/manifest.ts';

/** What people reported of clusters like theirs, on ours: a next report is one more file in cases/. */
const bench = new Bench();
const cases = readCases();
const namespaceOf = ({ name }: Case) => `field-${name}`;

afterAll(async () => {
  await bench.cluster.kubectl(
    'delete',
    'namespace',
    '--wait=false',
    '--ignore-not-found',
    ...cases.map(namespaceOf),
  );
});

function kubectl(one: Case, manifests: readonly Manifest[], ...args: string[]) {
  const stdin = documentsOf(manifests);
  return bench.cluster.exec(['kubectl', ...args, '-n', namespaceOf(one), '-f', '-'], { stdin });
}
const apply = (one: Case, manifests = one.manifests) =>
  kubectl(one, manifests, 'apply', `--validate=${one.validate}`);

const untilReady = (one: Case, pods: readonly string[]) =>
  bench.cluster.kubectl(
    ...['wait', '-n', namespaceOf(one), ...pods.map((pod) => `pod/${pod}`)],
    ...['--for=condition=Ready', '--timeout=60s'],
  );

const outsideOf = ({ manifests }: Case) =>
  manifests.filter(({ kind }) => ['ClusterKeepalivePolicy', 'Node'].includes(kind));
/** It meets other namespaces, or the clock. */
const isAlone = (one: Case) => outsideOf(one).length > 0 || one.outage !== undefined;
const named = (those: readonly Case[]) => those.map((one) => [one.right, one] as const);

// Most of a case is waiting, for agents that count once a minute.
test.concurrent.each(named(cases.filter((one) => !isAlone(one))))('%s', playCase, 240_000);
test.each(named(cases.filter(isAlone)))('%s', playCase, 240_000);

async function playCase(_sentence: string, one: Case): Promise<void> {
  const namespace = await bench.namespace(namespaceOf(one));
  const connections = new Connections(bench, one, namespace);
  try {
    await play(one, connections);
  } finally {
    connections.stop();
    // The namespace takes the rest with it.
    const outside = outsideOf(one);
    if (outside.length > 0) await kubectl(one, outside, 'delete', '--ignore-not-found');
  }
}

async function play(one: Case, connections: Connections): Promise<void> {
  await prepare(one, connections);
  await expectApplied(one);
  const talking = talkingIn(one);
  const pods = [...new Set([...Object.keys(one.pods), ...talking])];
  if (pods.length > 0) await untilReady(one, pods);
  if (talking.length > 0)
    for (const policy of Object.keys(one.policies)) await bench.status(nameOf(policy, one));
  await connections.open('after');
  for (const [pod, values] of Object.entries(one.pods))
    await bench.untilValuesIn(pod, namespaceOf(one), values);
  if (one.again !== undefined) await expectUnchanged(one);
  for (const [policy, expected] of Object.entries(one.policies))
    await expectStatus(nameOf(policy, one), expected);
  if (one.outage !== undefined)
    expect(await connections.outlive(one.outage)).toEqual(
      one.connections.map((connection) => connection.then),
    );
}

const talkingIn = ({ connections }: Case) => [...new Set(connections.flatMap(({ from, to }) => [from, to]))];

/** What is there first: pods with connections that are open already; else the policies, in force, so that pods meet admission. */
async function prepare(one: Case, connections: Connections): Promise<void> {
  const isPod = ({ kind }: Manifest) => kind === 'Pod';
  if (one.connections.some(({ opened }) => opened === 'before')) {
    await apply(one, one.manifests.filter(isPod));
    await untilReady(one, talkingIn(one));
    await connections.open('before');
  } else if (one.manifests.some(isPod)) {
    await apply(
      one,
      one.manifests.filter((manifest) => !isPod(manifest)),
    );
    for (const policy of Object.keys(one.policies)) await bench.status(nameOf(policy, one));
  }
}

async function expectApplied(one: Case): Promise<void> {
  const { stderr, code } = await apply(one);
  expect([code === 0 ? 'taken' : 'refused', stderr]).toEqual([one.applied, expect.any(String)]);
  for (const words of one.told) expect(stderr).toContain(words);
}

async function expectUnchanged(one: Case): Promise<void> {
  const { stdout, stderr } = await apply(one);
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
}

type Expected = Case['policies'][string];

function nameOf(policy: string, one: Case): PolicyName {
  const [kind, name = ''] = policy.split('/') as ['kap' | 'ckap', string];
  return { kind, name, namespace: namespaceOf(one) };
}

/** The status in the end: agents count open connections once a minute, and report in their own time. */
async function expectStatus(policy: PolicyName, expected: Expected): Promise<void> {
  let last: Expected | undefined;
  await until(
    `${policy.name} says what is expected`,
    async () => {
      last = saidOf((await bench.policy(policy)).status, expected);
      return isDeepStrictEqual(last, expected);
    },
    { timeoutMs: 120_000, everyMs: 100 },
  ).catch((error: unknown) => {
    const { message } = error as Error;
    throw new Error(`${message}: it says ${JSON.stringify(last)} instead of ${JSON.stringify(expected)}`);
  });
}

/** What a status says of that which is expected, in the same words. */
function saidOf(status: PolicyStatus | undefined, expected: Expected): Expected {
  const findings = status?.findings ?? [];
  const messages = findings.map(({ message }) => message).join('\n');
  const said = {
    ready: condition(status, 'Ready')?.status,
    pods: status?.pods?.summary,
    connections: status?.connections,
    findings: findings.map(({ reason }) => reason),
    says: messages.includes(expected.says ?? '') ? expected.says : messages,
  };
  return Object.fromEntries(Object.entries(said).filter(([key]) => key in expected));
}
