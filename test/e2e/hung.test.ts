import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { control } from '../cluster/addresses.ts';
import { compiled } from '../kernel/compiled.ts';
import { Bench, kap, sleeper } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-hung';
const policy = { kind: 'kap', name: 'nat', namespace } as const;
const folder = mkdtempSync(join(tmpdir(), 'keepalive-hung-'));
const agents = ['-n', 'keepalive-agent'];
const inPod = (...argv: string[]) => ['kubectl', 'exec', '-i', 'holder', '-n', namespace, '--', ...argv];
let holder: ChildProcess;

beforeAll(async () => {
  await bench.namespace(namespace);
  const pod = sleeper('holder', namespace, { spec: { nodeName: 'n1' } });
  // What it takes to make the kernel itself wait for a page; a FUSE file system would do as well.
  const securityContext = { capabilities: { add: ['SYS_PTRACE'] } };
  const containers = pod.spec.containers.map((one) => ({ ...one, securityContext }));
  await bench.start({ ...pod, spec: { ...pod.spec, containers } });
  const program = readFileSync(await compiled('peculiar', folder, '-static'));
  // By its length: the end of an input is sometimes lost on the way.
  const write = `head -c ${program.length} > /peculiar && chmod +x /peculiar`;
  const copy = bench.cluster.spawn(inPod('sh', '-c', write));
  copy.stdin?.end(program);
  expect(await once(copy, 'exit')).toEqual([0, null]);
  // Its one connection is to the API server, which says nothing before it is spoken to.
  holder = bench.cluster.spawn(inPod('/peculiar', 'held', control.v4, '6443', '1'));
  await once(holder.stdout ?? holder, 'data');
});
afterAll(async () => {
  holder.kill();
  rmSync(folder, { recursive: true });
  await bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
});

test('a program that lets no one at its socket keeps no agent from being replaced', async () => {
  await bench.apply(kap(namespace, 'nat', 90));
  await bench.status(policy, ({ findings }) => findings?.[0]?.reason === 'SocketsNotReachable', 60_000);
  const onNode = ['pods', ...agents, '--field-selector=spec.nodeName=n1'];
  const nameThere = async () =>
    (await bench.json<{ items: { metadata: { name: string } }[] }>(...onNode)).items.map(
      ({ metadata }) => metadata.name,
    );
  const [before = ''] = await nameThere();
  // Waits until nothing of it is left, which the runtime grants only when its control groups could be removed.
  await bench.cluster.kubectl('delete', 'pod', before, ...agents, '--timeout=60s');
  // The DaemonSet is as it was for whoever asks before its controller has seen the pod go.
  await bench.until('another is in its place', async () => {
    const [now, ...more] = await nameThere();
    return now !== undefined && now !== before && more.length === 0;
  });
  await bench.cluster.kubectl('rollout', 'status', 'daemonset/keepalive-agent', ...agents, '--timeout=60s');
  // What was there before is what the one before had set.
  await bench.apply(kap(namespace, 'nat', 45));
  await bench.untilValuesIn('holder', namespace, '15/5/6');
});
