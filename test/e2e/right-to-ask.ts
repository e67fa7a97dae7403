import { describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { witnessPod } from '../../src/policy/witness.ts';
import { cannotSee, readyMessage } from './ready-moment.ts';
import type { Bench, PolicyName } from './shared.ts';
import { kap, sleeper } from './shared.ts';

const home = 'keepalive-system';
const fence = 'dry-run.keepalive.dev';

async function replaceController({ cluster }: Bench): Promise<void> {
  const deployment = ['-n', home, 'deployment/keepalive-controller'];
  await cluster.kubectl('rollout', 'restart', ...deployment);
  await cluster.kubectl('rollout', 'status', ...deployment, '--timeout=90s');
}

/** Of whatever changes pods: the controller asks what becomes of a pod, and can make none. The namespace is there. */
export function rightToAskTests(
  benchOf: () => Bench,
  namespace: string,
  applyAgain: () => Promise<unknown>,
): void {
  const team: PolicyName = { kind: 'kap', name: 'team', namespace };
  const messageOf = () => readyMessage(benchOf(), team);

  describe('the right to ask', () => {
    // One that Pod Security lets pass, so that nothing else refuses it.
    const asked = witnessPod([]);
    const pod = JSON.stringify({
      ...asked,
      metadata: { ...asked.metadata, name: 'stolen', namespace: home },
    });
    const asController = async (...flags: string[]) => {
      const token = await benchOf().cluster.kubectl('create', 'token', 'keepalive-controller', '-n', home);
      return benchOf().askAs(token.trim(), pod, 'create', '--validate=false', '-f', '-', ...flags);
    };

    test('does not reach beyond dry runs: whoever stole the token can start nothing', async () => {
      const { code, stderr } = await asController();
      expect([code, stderr]).toEqual([1, expect.stringContaining('may create pods in dry runs only')]);
      expect(await benchOf().exists('pod', 'stolen', '-n', home)).toBe(false);
      expect(await asController('--dry-run=server')).toMatchObject({ code: 0 });
    });

    test('is none in any other namespace', async () => {
      const token = await benchOf().cluster.kubectl('create', 'token', 'keepalive-controller', '-n', home);
      const other = JSON.stringify(sleeper('stolen', namespace));
      const create = ['create', '--validate=false', '--dry-run=server', '-f', '-'];
      const { code, stderr } = await benchOf().askAs(token.trim(), other, ...create);
      expect([code, stderr]).toEqual([1, expect.stringContaining('cannot create resource "pods"')]);
    });

    test('binds nobody who makes pods there for good: the controller itself is replaced', async () => {
      await replaceController(benchOf());
      await benchOf().apply(kap(namespace, 'team', 90));
      await benchOf().status(team, undefined, 60_000);
    });

    test('is not used without its fence: what is not seen is said, and Ready is waited for', async () => {
      await benchOf().cluster.kubectl('delete', 'validatingadmissionpolicybinding', fence);
      // A controller trusts for a minute that the fence stands; another one looks.
      await replaceController(benchOf());
      await until('the policy says so', async () => (await messageOf()).includes(cannotSee), {
        timeoutMs: 60_000,
      });
      expect(await messageOf()).toContain(`ValidatingAdmissionPolicyBinding ${fence} is not installed`);
      await benchOf().apply(kap(namespace, 'team', 60));
      await benchOf().status(team);
      await applyAgain();
      await until('it is seen again', async () => !(await messageOf()).includes(cannotSee), {
        timeoutMs: 60_000,
      });
    });
  });
}
