import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { sysctls } from '../support/builder.ts';
import type { Bench } from './shared.ts';
import { condition, isStalled, kap, sleeper } from './shared.ts';

/** What becomes of new pods whose policy says more than this version understands, by whatever changes pods in a cluster. */
export function newerSpecTests(benchOf: () => Bench, namespace: string): void {
  const policy = { kind: 'kap', name: 'nat', namespace } as const;
  const crd = 'keepalivepolicies.keepalive.dev';
  const field = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/tomorrow';
  const patchCrd = (patch: object) =>
    benchOf().cluster.kubectl('patch', 'crd', crd, '--type=json', '-p', JSON.stringify([patch]));
  const isTaken = async (object: unknown) =>
    (
      await benchOf().cluster.exec(['kubectl', 'apply', '-f', '-'], {
        stdin: JSON.stringify(object),
      })
    ).code === 0;

  describe('a spec of a newer version', () => {
    beforeAll(async () => {
      await benchOf().namespace(namespace);
      await benchOf().apply(kap(namespace, 'nat', 60));
      await benchOf().status(policy);
    });
    afterAll(async () => {
      await benchOf().cluster.kubectl('delete', 'kap', '--all', '-n', namespace);
      await patchCrd({ op: 'remove', path: field });
    });

    test('is told, and new pods go on with what was understood before', async () => {
      await patchCrd({ op: 'add', path: field, value: { type: 'string' } });
      // A watch of the schema before lives on for a second, and leaves the field out of what it tells: this policy of
      // nothing shows that the controller's own has ended.
      const herald = kap(namespace, 'herald', 60, {
        podSelector: { matchLabels: { app: 'none' } },
        tomorrow: 'x',
      });
      await until('the API server takes the field', () => isTaken(herald));
      await benchOf().status({ ...policy, name: 'herald' }, isStalled);
      await benchOf().apply(kap(namespace, 'nat', 45, { tomorrow: 'x' }));
      const status = await benchOf().status(policy, isStalled);
      expect(condition(status, 'Stalled')).toMatchObject({ reason: 'NotUnderstood' });
      expect(condition(status, 'Stalled')?.message).toContain('spec.tomorrow: no such field is known');
      expect(condition(status, 'Covered')).toMatchObject({ status: 'Unknown', reason: 'NotUnderstood' });
      expect(status.effective).toMatchObject({ idleTimeoutSeconds: 60 });
      expect(await benchOf().dryRun(sleeper('new', namespace))).toEqual(sysctls(20, 7, 6));
      await benchOf().apply(kap(namespace, 'nat', 45));
      await benchOf().status(policy);
    });
  });
}
