import { expect } from '@jest/globals';

import type { PolicyStatus } from '../../src/api/status.ts';
import type { Bench, PolicyName } from '../e2e/shared.ts';
import type { PodOnNode } from './pod-on-node.ts';
import { podsOnNodes } from './pod-on-node.ts';

const agents = 'keepalive-agent';
const daemonSet = ['-n', agents, 'daemonset', agents];

/** As whoever installs without `Unconfined` has it: the agent of this node alone gets the profile that its runtime gives everybody. */
export async function confine(bench: Bench, node: string): Promise<void> {
  // A node without AppArmor takes no pod that asks for a profile: the other agents stay as they are.
  await setProfile(bench, { type: 'OnDelete' }, 'RuntimeDefault');
  await replaceAgent(bench, node);
  const [agent] = await agentsOf(bench, node);
  const profile = await bench.cluster.onNode(
    node,
    `for process in $(grep -ls '${groupOf(agent)}' /proc/[0-9]*/cgroup); do
  grep -lasq main.mjs $(dirname $process)/cmdline && cat $(dirname $process)/attr/current; done; true`,
  );
  // `mixed`: stacked upon the profile of crun, which confines nothing.
  expect(profile).toMatch(/\((?:enforce|mixed)\)/);
}

/** Of each of these pods, what to set. */
export async function untilConfinementIsTold(
  bench: Bench,
  policy: PolicyName,
  pods: readonly string[],
): Promise<void> {
  const unreachable = ({ findings = [] }: PolicyStatus) =>
    findings.filter(({ reason }) => reason === 'NotReachable');
  const status = await bench.status(policy, (s) =>
    pods.every((name) => unreachable(s).some(({ pod }) => pod === name)),
  );
  for (const { message } of unreachable(status)) expect(message).toContain('AppArmor profile Unconfined');
}

export async function letOut(bench: Bench, node: string): Promise<void> {
  await setProfile(bench, { type: 'OnDelete' }, 'Unconfined');
  await replaceAgent(bench, node);
  await setProfile(bench, { type: 'RollingUpdate' }, 'Unconfined');
}

async function setProfile(bench: Bench, updateStrategy: object, type: string): Promise<void> {
  const template = { spec: { securityContext: { appArmorProfile: { type } } } };
  const patch = JSON.stringify({
    spec: { updateStrategy: { rollingUpdate: null, ...updateStrategy }, template },
  });
  await bench.cluster.kubectl('patch', ...daemonSet, '--type=merge', '-p', patch);
}

async function replaceAgent(bench: Bench, node: string): Promise<void> {
  const before = await agentsOf(bench, node);
  await bench.cluster.kubectl('delete', 'pod', '-n', agents, ...before.map(({ name }) => name));
  await bench.until(`${node} has another agent`, async () => {
    const now = await agentsOf(bench, node);
    return now.length > 0 && now.every(({ uid }) => before.every((one) => one.uid !== uid));
  });
  await bench.until(`the agent of ${node} runs`, async () => {
    const [{ name } = { name: '' }] = await agentsOf(bench, node);
    const { status } = await bench.json<{ status: { phase: string } }>('pod', name, '-n', agents);
    return status.phase === 'Running';
  });
}

async function agentsOf(bench: Bench, node: string): Promise<PodOnNode[]> {
  return (await podsOnNodes(bench.cluster, agents)).filter((one) => one.node === node);
}

/** Systemd has no hyphens in the names of its groups. */
function groupOf(agent: PodOnNode | undefined): string {
  return agent?.uid.replaceAll('-', '[-_]') ?? 'no agent';
}
