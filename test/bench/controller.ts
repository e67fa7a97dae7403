import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'esbuild';

import { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';
import { apiOf, each } from './api.ts';
import { memoryOf } from './process-figures.ts';
import type { Bench, Row } from './result.ts';

const podCount = 20_000;
const namespaces = 20;
const policies = 20;
/** Seconds after the world was read: garbage of the reading has had its time. */
const settleSeconds = 30;

const system = 'keepalive-system';

/** MiB: it is measured and not limited. */
const informerHeap = 12_288;

/** Memory of the controller with many pods, and how soon it knows them, beside an informer of client-node. */
export const controller: Bench = async (say) => {
  const cluster = await Cluster.up({ name: 'bench-controller', owned: true });
  try {
    await cluster.install();
    say('the controller with nothing to do');
    const idle = await measureController(cluster, 'keepalive-controller, no policy');
    say(`creating ${podCount} pods`);
    await populate(cluster);
    say('the controller');
    const ours = await measureController(cluster, `keepalive-controller, ${podCount} pods`);
    say("client-node's informer");
    const theirs = await measureInformer(cluster, podCount);
    return [
      {
        bench: 'controller',
        setting: `${podCount} pods of about 4 KB, ${policies} policies, Kubernetes ${cluster.kubernetes}; memory ${settleSeconds} s after the pods were read`,
        rows: [idle, ours, theirs],
      },
    ];
  } finally {
    await cluster.down();
  }
};

/** No scheduler is named for them, so that they stay as they are: objects, which is what is measured. */
async function populate(cluster: Cluster): Promise<void> {
  const client = apiOf(cluster);
  const names = Array.from({ length: namespaces }, (_, index) => `crowd-${index}`);
  await each(names, 4, async (name) => {
    await client.create(
      { group: '', version: 'v1', plural: 'namespaces' },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    );
    await until('its service account is there', async () => {
      return (
        (await client.listPage({ group: '', version: 'v1', plural: 'serviceaccounts', namespace: name }, {}))
          .items.length > 0
      );
    });
  });
  await each(names.slice(0, policies), 4, (namespace) =>
    client.create(
      { group: 'keepalive.dev', version: 'v1alpha1', plural: 'keepalivepolicies', namespace },
      {
        apiVersion: 'keepalive.dev/v1alpha1',
        kind: 'KeepalivePolicy',
        metadata: { name: 'policy', namespace },
        spec: { podSelector: {}, path: [{ preset: 'aws-nlb' }] },
      },
    ),
  );
  await each(
    Array.from({ length: podCount }, (_, index) => index),
    16,
    (index) =>
      client.create(
        { group: '', version: 'v1', plural: 'pods', namespace: names[index % namespaces] },
        pod(index),
      ),
  );
  await client.close();
}

/** As a Deployment makes them: labels, environment, mounts, probes. */
function pod(index: number) {
  const env = Array.from({ length: 20 }, (_, at) => ({
    name: `SETTING_${at}`,
    value: `value of setting ${at} of the program`,
  }));
  const volumes = Array.from({ length: 4 }, (_, at) => ({ name: `volume-${at}`, emptyDir: {} }));
  const workload = `workload-${Math.floor(index / 10)}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${workload}-6d4cf56db6-${index}`,
      labels: { app: workload, 'pod-template-hash': '6d4cf56db6', tier: 'backend', team: 'payments' },
      annotations: {
        'example.com/config-checksum': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      },
    },
    spec: {
      schedulerName: 'nobody',
      volumes,
      containers: [
        {
          name: 'main',
          image: 'registry.example.com/team/program:1.2.3',
          env,
          volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/data/${name}` })),
          readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
        },
      ],
    },
  };
}

/** The real thing, in its pod: restarted, so that it starts into the full world. */
async function measureController(cluster: Cluster, what: string): Promise<Row> {
  await cluster.kubectl('scale', '-n', system, 'deployment/keepalive-controller', '--replicas=0');
  await cluster.kubectl('wait', '-n', system, 'pod', '--all', '--for=delete', '--timeout=60s');
  await cluster.kubectl('scale', '-n', system, 'deployment/keepalive-controller', '--replicas=1');
  const log = () => cluster.exec(['kubectl', 'logs', '-n', system, 'deployment/keepalive-controller']);
  const line = await until(
    'the controller has read the world',
    async () => (await log()).stdout.split('\n').find((text) => text.includes('"synced"')),
    {
      everyMs: 500,
    },
  );
  const pid = processOf('/app/main.mjs');
  return { what, figures: await figuresOf(pid, line) };
}

/** client-node's informer on the pods of a cluster, bundled as the controller is. */
export async function measureInformer(cluster: Cluster, pods: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-bench-'));
  const outfile = join(folder, 'informer.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'informer.ts')],
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', minifySyntax: true, minifyWhitespace: true },
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  const what = `client-node's informer, ${pods} pods`;
  const child = cluster.spawn([process.execPath, `--max-old-space-size=${informerHeap}`, outfile]);
  try {
    const line = await new Promise<string | undefined>((resolve) => {
      child.stdout?.setEncoding('utf8').once('data', resolve);
      child.once('exit', () => {
        resolve(undefined);
      });
    });
    if (line === undefined) return { what: `${what}: it ended before it had read them`, figures: {} };
    const figures = await figuresOf(processOf(outfile), line);
    process.kill(processOf(outfile), 'SIGTERM');
    return { what, figures };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The process that runs this script; the launchers in front of it run something else. */
function processOf(script: string): number {
  const pid = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .find((entry) => {
      const [program = '', ...args] = read(`/proc/${entry}/cmdline`).split('\0');
      return program.endsWith('node') && args.includes(script);
    });
  if (pid === undefined) throw new Error(`no process runs ${script}`);
  return Number(pid);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function figuresOf(pid: number, syncedLine: string): Promise<Row['figures']> {
  const { time } = JSON.parse(syncedLine) as { time: string };
  const startMs = startOf(pid);
  await new Promise((resolve) => setTimeout(resolve, settleSeconds * 1000));
  return { 'exec to synced s': (Date.parse(time) - startMs) / 1000, ...memoryOf(pid) };
}

/** Field 22 of stat counts ticks of 10 ms since boot. */
function startOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const uptimeMs = Number(read('/proc/uptime').split(' ')[0]) * 1000;
  return Date.now() - uptimeMs + ticks * 10;
}
