import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { join } from 'node:path';

import { repository } from '../cluster/place.ts';
import { until } from '../cluster/wait.ts';
import { witnessPod } from '../../src/policy/witness.ts';
import { cannotSee, readyMessage, readyMomentTests, refusedQuestionTests } from './ready-moment.ts';
import type { PolicyName } from './shared.ts';
import { Bench, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-evidence';
const home = 'keepalive-system';
const fence = 'dry-run.keepalive.dev';
const team: PolicyName = { kind: 'kap', name: 'team', namespace };

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

const messageOf = () => readyMessage(bench, team);

readyMomentTests(() => bench, namespace);

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

refusedQuestionTests(() => bench, namespace);
