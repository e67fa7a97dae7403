import { Counter, Gauge, Histogram, Summary, type Registry } from 'prom-client';

import type { ReflectorReading } from './metrics.ts';
import { processRegistry } from './metrics.ts';

/** What is read at the moment of a scrape. */
export interface AgentMetricSources {
  readonly version: string;
  readonly places: () => number;
  readonly reflectors: () => Iterable<ReflectorReading>;
}

export interface AgentMetrics {
  readonly registry: Registry;
  readonly rounds: Histogram;
  readonly walks: Summary;
  readonly writes: Counter;
  readonly repairs: Counter;
  readonly scans: Summary;
  readonly sockets: Counter;
  readonly hangs: Counter;
  requested(request: { readonly verb: string; readonly code: number }): void;
}

/**
 * Of what every process of Node can tell, as much as a person asks who looks for a leak or a stall. Some of it is here because the
 * library sets others by the way where it is collected: process_cpu_seconds_total with that of the user, and so on.
 */
const ofProcess: ReadonlySet<string> = new Set([
  ...['process_cpu_user_seconds_total', 'process_cpu_seconds_total', 'process_start_time_seconds'],
  ...['process_resident_memory_bytes', 'process_open_fds'],
  ...['nodejs_heap_size_total_bytes', 'nodejs_heap_size_used_bytes'],
  ...['nodejs_eventloop_lag_seconds', 'nodejs_eventloop_lag_max_seconds'],
]);

const does: Readonly<Record<string, string>> = { get: 'read', list: 'read', watch: 'watch' };

/** How a request ended, as far as it tells what to do. */
function answerOf(code: number): string {
  if (code === 0) return 'none';
  if (code < 300) return 'done';
  return code === 429 || code >= 500 ? 'busy' : 'refused';
}

/**
 * At most 40 series, whatever happens: there is one agent for each node, and Prometheus keeps all of them. What is the same on every
 * node, or differs with each request, is left to the logs.
 */
export function createAgentMetrics({ version, places, reflectors }: AgentMetricSources): AgentMetrics {
  const registry = processRegistry({ version, component: 'agent' });
  for (const { name } of registry.getMetricsAsArray())
    if (!ofProcess.has(name) && !name.startsWith('keepalive_')) registry.removeSingleMetric(name);
  const registers = [registry];
  new Gauge({
    name: 'keepalive_agent_network_namespaces',
    help: 'Network namespaces that the agent looks after: that of the node itself, and one for each pod with a network of its own.',
    registers,
    collect() {
      this.set(places());
    },
  });
  new Gauge({
    name: 'keepalive_agent_last_contact_seconds',
    help: 'Seconds since the API server last sent anything, of the resource of which it is longest. A quiet watch hears a bookmark about once a minute; beyond ten minutes, what the agent knows may be out of date.',
    registers,
    collect() {
      this.set(Math.max(0, ...[...reflectors()].map(({ secondsSinceContact }) => secondsSinceContact)));
    },
  });
  const requests = new Counter({
    name: 'keepalive_agent_api_requests_total',
    help: 'Requests to the API server, by what they are for (read, watch, write) and how they ended: done, refused, busy (to be tried again later), none (no answer came). A watch counts once, when it is opened.',
    labelNames: ['does', 'answer'],
    registers,
  });
  return {
    registry,
    ...measures(registers),
    ...counters(registers),
    requested: ({ verb, code }) => {
      requests.inc({ does: does[verb] ?? 'write', answer: answerOf(code) });
    },
  };
}

function measures(registers: Registry[]): Pick<AgentMetrics, 'rounds' | 'walks' | 'scans'> {
  return {
    rounds: new Histogram({
      name: 'keepalive_agent_round_seconds',
      help: 'Time from taking up a change to having read it back from the kernel, for all network namespaces that it concerns.',
      buckets: [0.05, 1],
      registers,
    }),
    walks: new Summary({
      name: 'keepalive_agent_walk_seconds',
      help: 'Time of going once through all processes of the node, to find pods that some policy selects, and of opening the networks of those that were found. It grows with processes; how often it is done does not grow with pods.',
      percentiles: [],
      registers,
    }),
    scans: new Summary({
      name: 'keepalive_agent_scan_seconds',
      help: 'Time of one look at the sockets of the pods whose turn it is, in a process of its own.',
      percentiles: [],
      registers,
    }),
  };
}

function counters(registers: Registry[]): Pick<AgentMetrics, 'writes' | 'repairs' | 'sockets' | 'hangs'> {
  return {
    writes: new Counter({
      name: 'keepalive_agent_writes_total',
      help: 'Network namespaces whose values were changed, restored ones included.',
      registers,
    }),
    repairs: new Counter({
      name: 'keepalive_agent_repairs_total',
      help: 'Times that values were put right after something else had made them looser. If it grows steadily, find what writes them.',
      registers,
    }),
    sockets: new Counter({
      name: 'keepalive_agent_sockets_repaired_total',
      help: 'Sockets that were given keepalive, listening ones included.',
      registers,
    }),
    hangs: new Counter({
      name: 'keepalive_agent_socket_hangs_total',
      help: 'Times that a system call on a socket did not return, so that the process which looks at sockets was given up. SocketsNotReachable names the pods.',
      registers,
    }),
  };
}
