import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { until } from '../cluster/wait.ts';
import { BadDay } from '../storm/bad-day.ts';
import { sysctls } from '../support/builder.ts';
import { Bench, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-outage';
const deployment = ['-n', 'keepalive-system', 'deployment/keepalive-controller'];

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly uid: string };
    readonly status: { readonly containerStatuses: readonly { readonly restartCount: number }[] };
  }[];
}

/** Of the controller, which pods there are, and how often a container of theirs was started anew. */
async function replicas() {
  const { items } = await bench.json<Pods>('pods', '-n', 'keepalive-system');
  const counts = items.flatMap(({ status }) =>
    status.containerStatuses.map(({ restartCount }) => restartCount),
  );
  return {
    uids: items.map(({ metadata }) => metadata.uid).sort(),
    restarts: counts.reduce((sum, count) => sum + count, 0),
  };
}

describe('an API server that goes away', () => {
  test('and comes back with its history compacted is followed again, and at most the leader was started anew', async () => {
    await bench.apply(kap(namespace, 'before', 90));
    await bench.status({ kind: 'kap', name: 'before', namespace });
    const before = await replicas();
    await new BadDay(bench.cluster).forgotten();
    await bench.apply(kap(namespace, 'after', 45));
    await bench.status({ kind: 'kap', name: 'after', namespace }, undefined, 90_000);
    // Where the API server asks what kinds there are before it serves those of CustomResourceDefinitions, it asks
    // again after 30 s (k8s.io/apiserver, pkg/server/options/admission.go) and lets pods pass until then.
    await until('new pods are covered again', async () => {
      const covered = await bench.dryRun(sleeper('covered', namespace));
      return JSON.stringify(covered) === JSON.stringify(sysctls(15, 5, 6));
    });
    // A leader that cannot renew its lease for ten seconds ends itself: the watches themselves end nothing.
    const after = await replicas();
    expect(after.uids).toEqual(before.uids);
    expect(after.restarts - before.restarts).toBeLessThanOrEqual(1);
  });

  test('for longer than the lease lasts is waited for', async () => {
    const apiserver = bench.cluster.component('apiserver');
    await apiserver.stop('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    await apiserver.start();
    await bench.cluster.kubectl('rollout', 'status', ...deployment, '--timeout=90s');
    await bench.apply(kap(namespace, 'much-later', 30));
    await bench.status({ kind: 'kap', name: 'much-later', namespace }, undefined, 90_000);
    await until('the new policy acts', async () => {
      const [time] = await bench.dryRun(sleeper('later', namespace));
      return time?.value === '10';
    });
  });
});
