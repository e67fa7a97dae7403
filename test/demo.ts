/** The story of the project in a screen or two, on a real cluster: `npm run demo`. Exit status 0: it held. */
import type { Effective } from '../src/api/status.ts';
import { Cluster } from './cluster/cluster.ts';
import { labSettings } from './cluster/install.ts';
import type { Nat } from './cluster/router.ts';
import { startNat } from './cluster/router.ts';
import { until } from './cluster/wait.ts';

const name = 'demo';
const namespace = 'default';
const port = '7000';
/** What the NAT remembers, and three times that in silence. */
const forgetsAfterSeconds = 4;
const silentSeconds = 12;

const policy = `apiVersion: keepalive.dev/v1alpha1
kind: KeepalivePolicy
metadata:
  name: behind-the-nat
spec:
  podSelector: {}
  path:
    - name: office-nat
      type: NAT
      idleTimeoutSeconds: ${forgetsAfterSeconds}
`;

const say = (text = '') => process.stdout.write(`${text}\n`);
const indent = (text: string) => text.trimEnd().replaceAll(/^/gm, '  ');

async function main(signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  const step = (text: string) => {
    signal.throwIfAborted();
    say(`[${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s] ${text}`);
  };
  const cluster = await Cluster.up({ name, owned: true, signal });
  try {
    step(`a real Kubernetes ${cluster.kubernetes} is ready`);
    await cluster.install();
    step('the operator is installed: its image from the Dockerfile, kubectl apply -k deploy/');
    step(
      `so that nobody has to wait, its settings allow timeouts from ${labSettings.smallestIdleTimeoutSeconds} s on, instead of 10 s`,
    );
    const nat = await startNat(cluster.lab, {
      ...{ name: 'office-nat', kind: 'snat', then: 'reset', outside: 'server' },
      forgetsAfterSeconds,
    });
    await serve(nat);
    step(
      `a NAT between pods and a server (${nat.address.v4}) forgets a connection after ${forgetsAfterSeconds} s without a packet`,
    );
    return await tell(cluster, nat, step);
  } finally {
    await cluster.down();
  }
}

async function serve(nat: Nat): Promise<void> {
  const server = nat.outside.spawn(['idle', 'serve', port]);
  await new Promise((resolve, reject) => {
    server.stdout?.once('data', resolve);
    server.once('exit', () => {
      reject(new Error('the server ended before it served'));
    });
  });
}

async function tell(cluster: Cluster, nat: Nat, step: (text: string) => void): Promise<boolean> {
  say(`\nA client pod whose program asks for keepalive connects, and is silent for ${silentSeconds} s:`);
  await startClient(cluster, nat, 'client-before');
  const first = await lastWords(cluster, 'client-before');
  say(indent(first));
  if (!first.includes('ECONNRESET (104)')) return notHeld('the connection should have been reset');
  step('the NAT forgot it: Linux would have spoken after 7200 s\n');
  if ((await showValues(cluster)) !== '7200/75/9')
    return notHeld('the pod should hold the values of the kernel');

  say('\n$ kubectl apply -f - <<EOF');
  say(indent(policy));
  say(indent(await cluster.apply(policy)));
  await cluster.kubectl('wait', 'kap/behind-the-nat', '--for=condition=Ready', '--timeout=30s');
  step('the policy is Ready\n');

  say('The pod that ran before, without a restart:');
  const wanted = await valuesOfPolicy(cluster);
  if ((await showValues(cluster)) !== wanted) return notHeld(`the running pod should hold ${wanted}`);
  step('the agent of its node has written them into its kernel\n');
  // Meanwhile, so that nobody has to wait for both.
  await startClient(cluster, nat, 'client-after');
  say(`It connects anew, and is silent for the same ${silentSeconds} s:`);
  const again = await show(cluster, 'exec', 'client-before', '--', ...idle(nat));
  if (!again.endsWith('alive')) return notHeld('the new connection of the running pod should have lived');
  step('it lives: its kernel spoke before the NAT forgot\n');

  say('A pod created after the policy, the same program:');
  const after = await lastWords(cluster, 'client-after');
  say(indent(after));
  if (!after.endsWith('alive')) return notHeld('the connection of the new pod should have lived');
  step('it lives too\n');

  await showStatus(cluster);
  say('\nThe story held.');
  return true;
}

function notHeld(what: string): false {
  say(`\nThe story did NOT hold: ${what}.`);
  return false;
}

/** What the reader could type, and what it says. */
async function show(cluster: Cluster, ...args: string[]): Promise<string> {
  say(`$ kubectl ${args.join(' ')}`);
  // A connection that died makes `idle` fail: what it said is the point.
  const { stdout, stderr } = await cluster.exec(['kubectl', ...args]);
  const text = `${stdout}${stderr}`.trim();
  say(indent(text));
  return text;
}

/** What the kernel of the pod from before holds: `7200/75/9`. */
async function showValues(cluster: Cluster): Promise<string> {
  const files = ['time', 'intvl', 'probes'].map((name) => `/proc/sys/net/ipv4/tcp_keepalive_${name}`);
  const text = await show(cluster, 'exec', 'client-before', '--', 'cat', ...files);
  return text.split('\n').join('/');
}

async function valuesOfPolicy(cluster: Cluster): Promise<string> {
  const { timeSeconds, intervalSeconds, probes } = JSON.parse(
    await cluster.kubectl('get', 'kap', 'behind-the-nat', '-o', 'jsonpath={.status.effective}'),
  ) as Effective;
  return `${timeSeconds}/${intervalSeconds}/${probes}`;
}

async function showStatus(cluster: Cluster): Promise<void> {
  const summary = ['get', 'kap', 'behind-the-nat', '-o', 'jsonpath={.status.pods.summary}'];
  await until('the status counts both pods as live', async () => {
    return (await cluster.kubectl(...summary)) === '2/2';
  });
  await show(cluster, 'get', 'kap');
  await show(cluster, 'get', 'nka');
  await show(cluster, 'describe', 'kap', 'behind-the-nat');
}

function idle(nat: Nat): string[] {
  return ['idle', 'connect', nat.address.v4, port, '--silent', String(silentSeconds), '--keepalive'];
}

function startClient(cluster: Cluster, nat: Nat, pod: string): Promise<string> {
  return cluster.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'client',
            image: 'localhost/tools:1',
            imagePullPolicy: 'Never',
            command: ['sh', '-c', `${idle(nat).join(' ')}; sleep 3600`],
          },
        ],
      },
    }),
  );
}

/** What the client says when its silence is over; the pod itself runs on. */
function lastWords(cluster: Cluster, pod: string): Promise<string> {
  return until(`${pod} has spoken again`, async () => {
    const { stdout } = await cluster.exec(['kubectl', 'logs', pod]);
    return stdout.includes('silent') ? stdout.trim() : undefined;
  });
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (!interrupted.signal.aborted) process.stderr.write(`\n${name}: clearing up\n`);
    interrupted.abort(new Error(name));
  });
}
try {
  process.exitCode = (await main(interrupted.signal)) ? 0 : 1;
} catch (error) {
  if (!interrupted.signal.aborted)
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
