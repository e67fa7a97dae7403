import { join } from 'node:path';

import { isOfSameSpec } from '../../src/agent/world.ts';
import type { KubeObject } from '../../src/kube/resource.ts';
import { Store } from '../../src/kube/store.ts';
import { parseEvent } from '../../src/kube/stream.ts';
import type { PolicyRecord } from '../../src/policy/record.ts';
import { policyRecord } from '../../src/policy/record.ts';
import { run } from '../cluster/command.ts';
import { repository } from '../cluster/place.ts';
import { heapMiB } from '../storm/stage.ts';
import type { Bench, Result, Row } from './result.ts';

/** Nodes, pods, cluster policies and teams of one policy each; all of them audit, so that each pod is a finding of each. */
const sizes = [
  [100, 2_000, 6, 50],
  [500, 10_000, 20, 100],
  [500, 10_000, 500, 100],
  [5_000, 150_000, 6, 1_000],
  [5_000, 150_000, 100, 1_000],
] as const;

/**
 * What the controller has in its head, and what a status write costs an agent. Beside a checkout of another version, whose folder
 * is in KEEPALIVE_BESIDE.
 */
export const fold: Bench = async (say) => {
  const beside = process.env.KEEPALIVE_BESIDE;
  const rows: Row[] = [];
  for (const size of sizes) {
    for (const folder of [repository, ...(beside === undefined ? [] : [beside])]) {
      const [nodes, pods, cluster, teams] = size;
      const what = `${nodes} nodes, ${pods} pods, ${cluster + teams} policies${folder === beside ? ', beside' : ''}`;
      say(what);
      rows.push(await rowOf(what, folder, size));
    }
  }
  return [{ bench: 'fold', setting: 'the controller without its cluster, one process', rows }, statusWrite()];
};

async function rowOf(what: string, folder: string, size: (typeof sizes)[number]): Promise<Row> {
  const { code, stdout, stderr } = await run([
    ...[process.execPath, '--expose-gc', `--max-old-space-size=${heapMiB}`],
    ...[join(import.meta.dirname, 'fold-world.ts'), folder, ...size.map(String)],
  ]);
  if (code === 0) return { what, figures: JSON.parse(stdout) as Row['figures'] };
  if (stderr.includes('heap out of memory')) return { what: `${what}: heap out of memory`, figures: {} };
  throw new Error(stderr);
}

const rounds = 2_000;

/** As the API server sends it to each agent, with a full list of findings. */
function statusEvent(): string {
  const message =
    'the kernel holds 7200/75/9, which is not enough behind 350 s: mode Enforce would set 116/39/6';
  const findings = Array.from({ length: 20 }, (_, at) => ({
    ...{
      reason: 'NotEnforced',
      namespace: 'payments',
      pod: `workload-${at}-6d4cf56db6-x${at}`,
      node: `node-${at}`,
    },
    message,
  }));
  const condition = (type: string) => ({
    ...{ type, status: 'True', reason: 'Audited', message, observedGeneration: 1 },
    lastTransitionTime: '2026-05-04T10:00:00Z',
  });
  const fields = Object.fromEntries(
    ['pods', 'nodes', 'connections', 'findings'].map((name) => [`f:${name}`, {}]),
  );
  return JSON.stringify({
    type: 'MODIFIED',
    object: {
      ...{ apiVersion: 'keepalive.dev/v1alpha1', kind: 'ClusterKeepalivePolicy' },
      metadata: {
        ...{ name: 'platform', uid: 'c0ffee', resourceVersion: '7', generation: 1 },
        managedFields: [{ manager: 'keepalive-controller', fieldsV1: { 'f:status': fields } }],
      },
      spec: {
        ...{
          podSelector: {},
          path: [{ preset: 'aws-nlb' }, { name: 'nat', type: 'NAT', idleTimeoutSeconds: 350 }],
        },
        ...{ mode: 'Audit', openConnections: 'Repair' },
      },
      status: {
        ...{ observedGeneration: 1, findings, findingsTotal: 150_000 },
        conditions: [condition('Ready'), condition('Covered')],
      },
    },
  });
}

function statusWrite(): Result {
  const line = statusEvent();
  const objectOf = () => (parseEvent(line, '') as { readonly object: KubeObject }).object;
  const read = (object: KubeObject) => ({ ...policyRecord('ClusterKeepalivePolicy', object), status: {} });
  const store = new Store<PolicyRecord>();
  store.set('platform', read(objectOf()));
  const object = objectOf();
  const micros = (work: () => void) => {
    for (let round = 0; round < rounds; round += 1) work();
    const from = performance.now();
    for (let round = 0; round < rounds; round += 1) work();
    return ((performance.now() - from) / rounds) * 1000;
  };
  const parsing = micros(() => void objectOf());
  const trimming = micros(() => void store.set('platform', read(object)));
  const comparing = micros(() => {
    const held = store.get('platform');
    if (held === undefined || !isOfSameSpec(object, held)) throw new Error('it is another spec');
  });
  const row = (what: string, µs: number): Row => ({ what, figures: { µs } });
  return {
    bench: 'fold',
    setting: `a status write of ${line.length} bytes, as each agent takes it`,
    rows: [
      row('JSON', parsing),
      row('spec read and compared, as before', trimming),
      row('uid and generation compared', comparing),
    ],
  };
}
