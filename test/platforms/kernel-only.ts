import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { repository } from '../cluster/place.ts';
import type { Bench } from '../e2e/shared.ts';

const agents = ['-n', 'keepalive-agent', 'daemonset/keepalive-agent'];

/** Agents have the rights that the component gives them, and the kernels of these nodes count for them. */
export async function untilKernelOnly(bench: Bench, nodes: readonly string[]): Promise<void> {
  const file = join(repository, 'deploy/components/kernel-only/kustomization.yaml');
  const { patches } = parse(readFileSync(file, 'utf8')) as { patches: [{ patch: string }] };
  const patch = JSON.stringify(parse(patches[0].patch));
  await bench.cluster.kubectl('patch', ...agents, '--type=json', '-p', patch);
  await untilRolledOut(bench);
  for (const node of nodes)
    await bench.report(node, ({ connections }) => connections?.countedBy === 'BPF', 60_000);
}

export async function untilUsual(bench: Bench): Promise<void> {
  await bench.cluster.kubectl('rollout', 'undo', ...agents);
  await untilRolledOut(bench);
}

async function untilRolledOut(bench: Bench): Promise<void> {
  await bench.cluster.kubectl('rollout', 'status', ...agents, '--timeout=600s');
}
