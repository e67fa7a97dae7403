import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import type { Bench, PolicyName } from './shared.ts';
import { ckap, condition, isReady, kap, sleeper } from './shared.ts';

export const cannotSee = 'cannot be seen';

export async function readyMessage(bench: Bench, policy: PolicyName): Promise<string> {
  return condition((await bench.policy(policy)).status, 'Ready')?.message ?? '';
}

/** Of whatever changes pods: a policy that says Ready is one that acts. The namespace is there. */
export function readyMomentTests(benchOf: () => Bench, namespace: string): void {
  const team: PolicyName = { kind: 'kap', name: 'team', namespace };
  afterAll(() => benchOf().cluster.kubectl('delete', 'ckap', '-l', 'test=evidence'));

  describe('a pod that is made in the moment in which a policy becomes Ready', () => {
    test.each([240, 90, 45, 300])(
      'has the values of a namespaced policy of %i s, edited over and over',
      async (seconds) => {
        await benchOf().apply(kap(namespace, 'team', seconds));
        await benchOf().status(team);
        const [time] = await benchOf().dryRun(sleeper('new', namespace));
        expect(time?.value).toBe(String(Math.floor(seconds / 3)));
      },
    );

    test.each([30, 60, 20])('has the values of a new cluster policy of %i s', async (seconds) => {
      const name = `edge-${seconds}`;
      const selectors = {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        podSelector: { matchLabels: { edge: name } },
      };
      const policy = ckap(name, seconds, selectors);
      await benchOf().apply({ ...policy, metadata: { ...policy.metadata, labels: { test: 'evidence' } } });
      await benchOf().status({ kind: 'ckap', name });
      const [time] = await benchOf().dryRun(sleeper('new', namespace, { labels: { edge: name } }));
      expect(time?.value).toBe(String(Math.floor(seconds / 3)));
    });
  });
}

/** And where nobody can be asked whether it acts, that is said. The policy `team` is there. */
export function refusedQuestionTests(benchOf: () => Bench, namespace: string): void {
  const team: PolicyName = { kind: 'kap', name: 'team', namespace };
  const messageOf = () => readyMessage(benchOf(), team);

  describe('where somebody refuses the question', () => {
    const name = 'no-strange-images.e2e';
    const kind = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name } };
    beforeAll(() =>
      benchOf().apply(
        {
          ...{ ...kind, kind: 'ValidatingAdmissionPolicy' },
          spec: {
            matchConstraints: {
              resourceRules: [
                { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
              ],
            },
            validations: [
              { expression: "!object.spec.containers.exists(c, c.image.startsWith('keepalive.dev/none'))" },
            ],
          },
        },
        {
          ...{ ...kind, kind: 'ValidatingAdmissionPolicyBinding' },
          spec: { policyName: name, validationActions: ['Deny'] },
        },
      ),
    );
    afterAll(() =>
      benchOf().cluster.kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', name),
    );

    test('a policy becomes Ready all the same, and says that this was waited for', async () => {
      await until('the policy says so', async () => (await messageOf()).includes(cannotSee), {
        timeoutMs: 60_000,
      });
      expect(await messageOf()).toContain('it refuses the question: 422 Invalid');
      await benchOf().apply(kap(namespace, 'team', 120));
      const status = await benchOf().status(team);
      expect(isReady(status)).toBe(true);
      await until('the pod has its values', async () => {
        const made = await benchOf().dryRun(sleeper('new', namespace));
        return JSON.stringify(made) === JSON.stringify(sysctls(40, 14, 6));
      });
    });
  });
}
