import { isDeepStrictEqual } from 'node:util';

import { afterAll, expect, test } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import { until } from '../cluster/wait.ts';
import { Bench, condition } from '../e2e/shared.ts';
import type { Case } from './case.ts';
import { readCases } from './case.ts';

/** What people reported of clusters like theirs, on ours: a next report is one more file in cases/. */
const bench = new Bench();
const cases = readCases();
const namespaceOf = ({ name }: Case) => `field-${name}`;

afterAll(async () => {
  await bench.cluster.kubectl('delete', 'ckap', '--all');
  await bench.cluster.kubectl('delete', 'namespace', '--wait=false', ...cases.map(namespaceOf));
});

function apply(one: Case) {
  const stdin = one.manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const args = ['-n', namespaceOf(one), `--validate=${one.validate}`, '-f', '-'];
  return bench.cluster.exec(['kubectl', 'apply', ...args], { stdin });
}

test.each(cases.map((one) => [one.right, one] as const))(
  '%s',
  async (_sentence, one) => {
    const namespace = await bench.namespace(namespaceOf(one));
    const { stderr, code } = await apply(one);
    expect([code === 0 ? 'taken' : 'refused', stderr]).toEqual([one.applied, expect.any(String)]);
    for (const words of one.told) expect(stderr).toContain(words);

    for (const [pod, values] of Object.entries(one.pods)) {
      await bench.cluster.kubectl(
        'wait',
        `pod/${pod}`,
        '-n',
        namespace,
        '--for=condition=Ready',
        '--timeout=60s',
      );
      await bench.untilValuesIn(pod, namespace, values);
    }
    if (one.again !== undefined) {
      const { stdout, stderr: complaint } = await apply(one);
      expect(complaint).toBe('');
      expect(
        stdout
          .trim()
          .split('\n')
          .filter((line) => !line.endsWith(' unchanged')),
      ).toEqual([]);
    }
    for (const [policy, expected] of Object.entries(one.policies))
      await expectStatus(policy, expected, namespace);
  },
  120_000,
);

type Expected = Case['policies'][string];

/** The status in the end: agents report in their own time. */
async function expectStatus(policy: string, expected: Expected, namespace: string): Promise<void> {
  const [kind, name = ''] = policy.split('/') as ['kap' | 'ckap', string];
  let last: Expected | undefined;
  await until(`${policy} says what is expected`, async () => {
    last = saidOf((await bench.policy({ kind, name, namespace })).status, expected);
    return isDeepStrictEqual(last, expected);
  }).catch((error: unknown) => {
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
    findings: findings.map(({ reason }) => reason),
    says: messages.includes(expected.says ?? '') ? expected.says : messages,
  };
  return Object.fromEntries(Object.entries(said).filter(([key]) => key in expected));
}
