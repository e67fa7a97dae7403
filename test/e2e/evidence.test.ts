import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { join } from 'node:path';

import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { witnessPod } from '../../src/policy/witness.ts';
import { sysctls } from '../support/builder.ts';
import type { PolicyName } from './shared.ts';
import { Bench, ckap, condition, isReady, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-evidence';
const home = 'keepalive-system';
const fence = 'dry-run.keepalive.dev';
const team: PolicyName = { kind: 'kap', name: 'team', namespace };

beforeAll(() => bench.namespace(namespace));
afterAll(async () => {
  await bench.cluster.kubectl('delete', 'ckap', '-l', 'test=evidence');
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

const messageOf = async () => condition((await bench.policy(team)).status, 'Ready')?.message ?? '';
const cannotSee = 'cannot be seen';

describe('a pod that is made in the moment in which a policy becomes Ready', () => {
  test.each([240, 90, 45, 300])(
    'has the values of a namespaced policy of %i s, edited over and over',
    async (seconds) => {
      await bench.apply(kap(namespace, 'team', seconds));
      await bench.status(team);
      const [time] = await bench.dryRun(sleeper('new', namespace));
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
    await bench.apply({ ...policy, metadata: { ...policy.metadata, labels: { test: 'evidence' } } });
    await bench.status({ kind: 'ckap', name });
    const [time] = await bench.dryRun(sleeper('new', namespace, { labels: { edge: name } }));
    expect(time?.value).toBe(String(Math.floor(seconds / 3)));
  });
});

async function replaceController(): Promise<void> {
  const deployment = ['-n', home, 'deployment/keepalive-controller'];
  await bench.cluster.kubectl('rollout', 'restart', ...deployment);
  await bench.cluster.kubectl('rollout', 'status', ...deployment, '--timeout=90s');
}

describe('the right to ask', () => {
  // One that Pod Security lets pass, so that nothing else refuses it.
  const asked = witnessPod([]);
  const pod = JSON.stringify({ ...asked, metadata: { ...asked.metadata, name: 'stolen', namespace: home } });
  const asController = async (...flags: string[]) => {
    const token = await bench.cluster.kubectl('create', 'token', 'keepalive-controller', '-n', home);
    return bench.askAs(token.trim(), pod, 'create', '--validate=false', '-f', '-', ...flags);
  };

  test('does not reach beyond dry runs: whoever stole the token can start nothing', async () => {
    const { code, stderr } = await asController();
    expect([code, stderr]).toEqual([1, expect.stringContaining('may create pods in dry runs only')]);
    expect(await bench.exists('pod', 'stolen', '-n', home)).toBe(false);
    expect(await asController('--dry-run=server')).toMatchObject({ code: 0 });
  });

  test('is none in any other namespace', async () => {
    const token = await bench.cluster.kubectl('create', 'token', 'keepalive-controller', '-n', home);
    const other = JSON.stringify(sleeper('stolen', namespace));
    const create = ['create', '--validate=false', '--dry-run=server', '-f', '-'];
    const { code, stderr } = await bench.askAs(token.trim(), other, ...create);
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot create resource "pods"')]);
  });

  test('binds nobody who makes pods there for good: the controller itself is replaced', async () => {
    await replaceController();
    await bench.apply(kap(namespace, 'team', 90));
    await bench.status(team, undefined, 60_000);
  });

  test('is not used without its fence: what is not seen is said, and Ready is waited for', async () => {
    await bench.cluster.kubectl('delete', 'validatingadmissionpolicybinding', fence);
    // A controller trusts for a minute that the fence stands; another one looks.
    await replaceController();
    await until('the policy says so', async () => (await messageOf()).includes(cannotSee), {
      timeoutMs: 60_000,
    });
    expect(await messageOf()).toContain(`ValidatingAdmissionPolicyBinding ${fence} is not installed`);
    await bench.apply(kap(namespace, 'team', 60));
    await bench.status(team);
    await bench.cluster.kubectl('apply', '-f', join(repository, 'deploy/witness.yaml'));
    await until('it is seen again', async () => !(await messageOf()).includes(cannotSee), {
      timeoutMs: 60_000,
    });
  });
});

describe('where somebody refuses the question', () => {
  const name = 'no-strange-images.e2e';
  const kind = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name } };
  beforeAll(() =>
    bench.apply(
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
    bench.cluster.kubectl('delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', name),
  );

  test('a policy becomes Ready all the same, and says that this was waited for', async () => {
    await until('the policy says so', async () => (await messageOf()).includes(cannotSee), {
      timeoutMs: 60_000,
    });
    expect(await messageOf()).toContain('it refuses the question: 422 Invalid');
    await bench.apply(kap(namespace, 'team', 120));
    const status = await bench.status(team);
    expect(isReady(status)).toBe(true);
    await until('the pod has its values', async () => {
      const made = await bench.dryRun(sleeper('new', namespace));
      return JSON.stringify(made) === JSON.stringify(sysctls(40, 14, 6));
    });
  });
});
