import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import product from '../../package.json' with { type: 'json' };
import { AGENT_NAME } from '../../src/api/group.ts';
import type { NodeKeepaliveStatus } from '../../src/api/node-keepalive.ts';
import type { Finding } from '../../src/api/status.ts';
import type { ConnectionMeans } from '../../src/policy/connection-means.ts';
import type { PatchOperation } from '../../src/policy/review.ts';
import { get } from '../cluster/api.ts';
import { repository } from '../cluster/place.ts';
import type { Bench } from '../e2e/shared.ts';
import { ckap, kap } from '../e2e/shared.ts';
import { isKeepalive, talker, timersTo } from '../e2e/talker.ts';
import { patched } from '../support/json-patch.ts';
import type { Manifest } from '../support/manifest.ts';
import { manifestsOf } from '../support/manifest.ts';

const node = 'n1';
const given = { namespace: 'e2e-rights', port: '7000' };
const watched = { namespace: 'e2e-rights-watched', port: '7001' };
const agents = ['-n', AGENT_NAME, '-l', 'app.kubernetes.io/component=agent'];
/** No round, and no count, is waited for longer than this. */
const often = { COUNT_SECONDS: '2', REPORT_SECONDS: '1', RESYNC_SECONDS: '2' };
/** What is seen may be on its way to something else until that many rounds have seen the same. */
const steadyRounds = 3;

/** What CONNECTIONS asks for: the kernel's way where the kernel has it, or that of descriptors. */
export type Way = 'Auto' | 'Descriptors';

/** What a node says of itself and of its pods, and what its kernel holds. */
export interface Seen {
  /** By what connections are reached and counted, and why not by BPF: `Descriptors, counted by Descriptors: no BTF`. Or how the agent ends. */
  readonly reach: string;
  /** Of the pods that are to have values: how many have them, and whether the node has. */
  readonly live: string;
  /** Connections that were open before there was an agent, where they are repaired and where not: `protected/established`. */
  readonly given: string;
  readonly watched: string;
  /** Of the network of the node, whose number is not known beforehand. */
  readonly node: string;
  /** Whose exposed connections are told of, with the program and without. */
  readonly named: string;
  readonly unnamed: string;
  /** The pods of each other finding, by its reason and error. */
  readonly told: Readonly<Record<string, string>>;
  /** How many network namespaces have values and how many clients' connections a timer of keepalive, whatever is said of them. */
  readonly kernel: string;
}

const asOther = { securityContext: { runAsUser: 1000, runAsGroup: 1000 } };
const inUsers = { hostUsers: false };
const clients = [
  { name: 'root', of: given, extra: {} },
  { name: 'other', of: given, extra: asOther },
  { name: 'users', of: given, extra: inUsers },
  { name: 'host', of: given, extra: { hostNetwork: true } },
  { name: 'watched-other', of: watched, extra: asOther },
  { name: 'watched-users', of: watched, extra: inUsers },
];
const servers = [
  { name: 'server', of: given },
  { name: 'watched-server', of: watched },
];

/** As it was before the first agent: what one that lacks something leaves is not the next one's. */
const clear = `rm -rf /sys/fs/bpf/keepalive /run/keepalive.dev
sysctl -qw net.ipv4.tcp_keepalive_time=7200 net.ipv4.tcp_keepalive_intvl=75 net.ipv4.tcp_keepalive_probes=9`;

/** For each process of a talker, the time of its network namespace, and that namespace's connections. */
const look = `for process in /proc/[0-9]*; do
  read -r name < $process/comm || continue
  [ "$name" = idle ] || continue
  echo "time $(nsenter --net=$process/ns/net cat /proc/sys/net/ipv4/tcp_keepalive_time)"
  cat $process/net/tcp $process/net/tcp6
done 2> /dev/null; true`;

/** One node with connections of all kinds, and agents on it that lack something. */
export class RightsGround {
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** Without a controller: admission would give the pods their values before there is an agent. */
  async prepare(): Promise<void> {
    const { cluster } = this.#bench;
    await cluster.kubectl('apply', '-k', join(repository, 'crds'));
    await this.#bench.untilServed(
      ...['keepalivepolicies', 'clusterkeepalivepolicies', 'nodekeepalives'].map(
        (name) => `${name}.keepalive.dev`,
      ),
    );
    for (const file of ['namespace', 'settings']) await this.#bench.apply(...manifestOf(file));
    await this.#bench.apply(...manifestOf('agent').filter((one) => !isDaemonSet(one)));
    for (const { namespace } of [given, watched]) await this.#bench.namespace(namespace);
    await this.#bench.apply(
      kap(given.namespace, 'nat', 90),
      kap(watched.namespace, 'nat', 90, { openConnections: 'Observe' }),
      ckap('hosts', 90, { podSelector: undefined, nodes: { selector: {} } }),
    );
  }

  /** An agent that comes to connections that are open already, with its manifest but for these changes. */
  async startAgent(way: Way, changes: readonly PatchOperation[]): Promise<void> {
    await this.#endAgent();
    await this.#reconnect();
    const daemonSet = manifestOf('agent').find(isDaemonSet);
    const container = '/spec/template/spec/containers/0';
    const image = `keepalive.dev/keepalive-operator:${product.version}`;
    const env = [
      ...(daemonSet?.spec.template.spec.containers[0].env ?? []),
      ...Object.entries({ ...often, CONNECTIONS: way }).map(([name, value]) => ({ name, value })),
    ];
    await this.#bench.apply(
      patched(daemonSet, [
        { op: 'replace', path: `${container}/image`, value: image },
        { op: 'replace', path: `${container}/env`, value: env },
        ...changes,
      ]),
    );
  }

  /** Waits until it is as expected and stays so for several rounds of the agent; gives back what it is at last. */
  async untilSteady(expected: Seen): Promise<Seen> {
    const seen: Seen[] = [];
    let sinceRound: number | undefined;
    const isSteady = async () => {
      const now = await this.#seen();
      const round = await this.#rounds();
      if (now !== undefined) seen.push(now);
      sinceRound = isDeepStrictEqual(now, expected) ? (sinceRound ?? round) : undefined;
      if (sinceRound === undefined) return false;
      return expected.reach.startsWith(ending) || round >= sinceRound + steadyRounds;
    };
    const what = 'it is as expected, and stays so';
    await this.#bench.until(what, isSteady, { everyMs: 500 }).catch((error: unknown) => {
      // What else it is instead tells more than that it took too long.
      if (seen.length === 0 || sinceRound !== undefined) throw error;
    });
    return seen.at(-1) ?? expected;
  }

  async #endAgent(): Promise<void> {
    const { cluster } = this.#bench;
    await cluster.kubectl('delete', 'daemonset', '--all', '-n', AGENT_NAME);
    await cluster.kubectl('delete', 'pods', ...agents, '--grace-period=1', '--wait');
    await cluster.kubectl('delete', 'nodekeepalives', '--all');
    await cluster.onNode(node, clear);
  }

  async #reconnect(): Promise<void> {
    const { cluster } = this.#bench;
    for (const { namespace } of [given, watched])
      await cluster.kubectl('delete', 'pods', '--all', '-n', namespace, '--wait');
    await this.#bench.start(
      ...servers.map(({ name, of }) => talker({ name, namespace: of.namespace, node }, ['serve', of.port])),
    );
    const addresses = await Promise.all(
      servers.map(({ name, of }) => this.#addressOf(name, of.namespace).then((at) => [of, at] as const)),
    );
    const addressOf = new Map(addresses);
    await this.#bench.start(
      ...clients.map(({ name, of, extra }) => {
        const argv = ['connect', addressOf.get(of) ?? '', of.port, '--silent', '3600'];
        return talker({ name, namespace: of.namespace, node }, argv, extra);
      }),
    );
    await this.#bench.until('all are connected', async () => {
      const kernel = await this.#kernel();
      return kernel === nothingInTheKernel;
    });
  }

  async #addressOf(name: string, namespace: string): Promise<string> {
    const { status } = await this.#bench.json<{ status: { podIP: string } }>('pod', name, '-n', namespace);
    return status.podIP;
  }

  async #seen(): Promise<Seen | undefined> {
    const [report] = await this.#items<{ status?: NodeKeepaliveStatus }>(
      'apis/keepalive.dev/v1alpha1/nodekeepalives',
    );
    const kernel = await this.#kernel();
    if (report?.status !== undefined) return { ...seenIn(report.status), kernel };
    const last = await this.#lastWords();
    return last === undefined ? undefined : { ...unreported, reach: `${ending} ${last}`, kernel };
  }

  /** Of an agent that has ended and been started again. Node tells a person nothing more by the stack that comes after them. */
  async #lastWords(): Promise<string | undefined> {
    const argv = ['kubectl', 'logs', '--previous', '--tail=-1', ...agents];
    const { stdout, code } = await this.#bench.cluster.exec(argv);
    const last = stdout.split('\n').findLast((line) => line.startsWith('{'));
    if (code !== 0 || last === undefined) return undefined;
    return (JSON.parse(last) as { reason?: string }).reason;
  }

  async #kernel(): Promise<string> {
    const text = await this.#bench.cluster.onNode(node, look);
    const times = [...text.matchAll(/^time (\d+)$/gm)].map(([, time]) => Number(time));
    const networks = `${times.filter((time) => time === 30).length}/${times.length} networks`;
    const timers = [given, watched].map(({ port }) => {
      const all = timersTo(text, port);
      return `${all.filter((timer) => isKeepalive(timer, 30)).length}/${all.length}`;
    });
    return `${networks}, timers ${timers.join(' and ')}`;
  }

  /** How often the agent has looked at all of it; 0 while it does not answer. */
  async #rounds(): Promise<number> {
    const [pod] = await this.#items<{ metadata: { name: string } }>(`api/v1/namespaces/${AGENT_NAME}/pods`);
    const path = `/api/v1/namespaces/${AGENT_NAME}/pods/${pod?.metadata.name}:8080/proxy/metrics`;
    const { body } = await get(this.#bench.cluster.apiSocket, path);
    return Number(/^keepalive_agent_round_seconds_count(?:{[^}]*})? (\d+)$/m.exec(body)?.[1] ?? 0);
  }

  /** Not by kubectl, which takes the processor from whom it waits for. */
  async #items<T>(path: string): Promise<readonly T[]> {
    const { status, body } = await get(this.#bench.cluster.apiSocket, `/${path}`);
    if (status !== 200) throw new Error(`/${path}: the API server says ${status} ${body}`);
    return (JSON.parse(body) as { items: readonly T[] }).items;
  }
}

export const nothingInTheKernel = '0/8 networks, timers 0/4 and 0/2';
/** How what an agent says at last begins in {@link Seen.reach}. */
const ending = 'ends:';
/** Of a node whose agent tells nothing. */
export const unreported: Seen = {
  ...{ reach: ending, live: 'not told', given: 'not told', watched: 'not told', node: 'not told' },
  ...{ named: '', unnamed: '', told: {}, kernel: nothingInTheKernel },
};

interface DaemonSet extends Manifest {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly [{ readonly env: readonly object[] }] };
    };
  };
}

function isDaemonSet(manifest: Manifest): manifest is DaemonSet {
  return manifest.kind === 'DaemonSet';
}

function manifestOf(file: string): Manifest[] {
  return manifestsOf(readFileSync(join(repository, `deploy/${file}.yaml`), 'utf8'));
}

type Told = NonNullable<NodeKeepaliveStatus['policies']>[number];

function seenIn({ connections, host, policies = [] }: NodeKeepaliveStatus): Omit<Seen, 'kernel'> {
  const of = (namespace?: string) => policies.find((one) => one.namespace === namespace);
  const findings = policies.flatMap((policy) => policy.findings ?? []);
  const exposed = findings.filter(({ reason }) => reason === 'ExposedConnections');
  const isNamed = ({ message }: Finding) => message.includes(' of idle:');
  return {
    reach: reachOf(connections),
    live: `${of(given.namespace)?.live} pods, node ${of()?.host} ${host?.now.timeSeconds}`,
    given: standOf(of(given.namespace)),
    watched: standOf(of(watched.namespace)),
    node: of()?.connections === undefined ? 'not counted' : `${of()?.connections?.exposed} exposed`,
    named: whoseOf(exposed.filter(isNamed)),
    unnamed: whoseOf(exposed.filter((finding) => !isNamed(finding))),
    told: toldOf(findings.filter(({ reason }) => reason !== 'ExposedConnections')),
  };
}

function reachOf({ by, countedBy, why }: Partial<ConnectionMeans> = {}): string {
  return `${by}, counted by ${countedBy}${why === undefined ? '' : `: ${why}`}`;
}

function standOf(policy: Told | undefined): string {
  const counts = policy?.connections;
  return counts === undefined ? 'not counted' : `${counts.protected}/${counts.established}`;
}

function toldOf(findings: readonly Finding[]): Record<string, string> {
  const what = ({ reason, message }: Finding) => {
    const [code] = /\bE[A-Z]{3,}\b/.exec(message) ?? [];
    return code === undefined ? reason : `${reason} ${code}`;
  };
  const byWhat = Map.groupBy(findings, what);
  return Object.fromEntries([...byWhat].sort().map(([key, some]) => [key, whoseOf(some)]));
}

function whoseOf(findings: readonly Finding[]): string {
  return [...new Set(findings.map(({ pod = 'node' }) => pod))].sort().join(' ');
}
