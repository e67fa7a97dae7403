import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** How reconciling one object ended. */
export type Outcome = 'done' | 'again' | 'failed' | 'stalled';

export interface ReflectorReading {
  readonly resource: string;
  readonly secondsSinceContact: number;
  readonly objects: number;
}

/** What is read at the moment of a scrape; a process leaves out what it does not have. */
export interface MetricSources {
  readonly version: string;
  readonly component: string;
  readonly queueDepth?: () => number;
  readonly leading?: () => boolean;
  readonly reflectors?: () => Iterable<ReflectorReading>;
  readonly places?: () => number;
}

export interface AgentMetrics {
  readonly rounds: Histogram;
  readonly walks: Histogram;
  readonly writes: Counter;
  readonly repairs: Counter;
  readonly scans: Histogram;
  readonly sockets: Counter;
  readonly hangs: Counter;
}

/** What only a node agent has to tell. */
export function createAgentMetrics({ registry }: Metrics): AgentMetrics {
  const registers = [registry];
  return {
    rounds: new Histogram({
      name: 'keepalive_agent_round_seconds',
      help: 'Time from taking up a change to having read it back from the kernel, for all network namespaces that it concerns.',
      buckets: [0.001, 0.005, 0.02, 0.05, 0.2, 1, 5],
      registers,
    }),
    walks: new Histogram({
      name: 'keepalive_agent_walk_seconds',
      help: 'Time of going once through all processes of the node, to find pods that some policy selects. It grows with processes; how often it is done does not grow with pods.',
      buckets: [0.005, 0.02, 0.05, 0.2, 1],
      registers,
    }),
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
    scans: new Histogram({
      name: 'keepalive_agent_scan_seconds',
      help: 'Time of one look at the sockets of the pods whose turn it is, in a process of its own.',
      buckets: [0.005, 0.02, 0.05, 0.2, 1, 5],
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

export interface Metrics {
  readonly registry: Registry;
  readonly reconciles: Counter<'kind' | 'outcome'>;
  readonly reconcileSeconds: Histogram<'kind'>;
  readonly apiRequests: Counter<'verb' | 'resource' | 'code'>;
}

export interface ControllerMetrics {
  readonly answers: Counter<'answer'>;
}

/** What only the controller has to tell. */
export function createControllerMetrics({ registry }: Metrics): ControllerMetrics {
  return {
    answers: new Counter({
      name: 'keepalive_admission_answers_total',
      help: 'Answers of the API server, for each kind of policy, to the question what it acts by: seen (by what was written last), open (not yet), silent (new pods start without the values), none (it could not be asked).',
      labelNames: ['answer'],
      registers: [registry],
    }),
  };
}

/** Each call makes a registry of its own; nothing is shared between them. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  // At the default of 10 ms the event loop of an idle agent would wake a hundred times a second to measure itself.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 250 });
  registerGauges(registry, sources);
  const registers = [registry];
  return {
    registry,
    reconciles: new Counter({
      name: 'keepalive_reconcile_total',
      help: 'Times an object was reconciled, by its kind and how it ended: done, again (wanted another look later), failed (tried again with back-off) or stalled (waits for a person to change the object).',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: 'keepalive_reconcile_seconds',
      help: 'Time to reconcile one object from start to end, requests to the API server included.',
      labelNames: ['kind'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10],
      registers,
    }),
    apiRequests: new Counter({
      name: 'keepalive_api_requests_total',
      help: 'Requests to the API server, by verb, resource and HTTP status; code 0 means that no answer came. A watch counts once, when it is opened.',
      labelNames: ['verb', 'resource', 'code'],
      registers,
    }),
  };
}

function registerGauges(registry: Registry, sources: MetricSources): void {
  const { version, component, queueDepth, leading, reflectors } = sources;
  const registers = [registry];
  new Gauge({
    name: 'keepalive_build_info',
    help: 'Always 1; the labels tell which version of which component runs.',
    labelNames: ['version', 'component', 'node_version'],
    registers,
  }).set({ version, component, node_version: process.versions.node }, 1);
  if (queueDepth) registerQueueDepth(registers, queueDepth);
  if (leading) registerLeader(registers, leading);
  if (reflectors) registerReflectors(registers, reflectors);
  if (sources.places) registerPlaces(registers, sources.places);
}

function registerPlaces(registers: Registry[], places: () => number): void {
  new Gauge({
    name: 'keepalive_agent_network_namespaces',
    help: 'Network namespaces that the agent looks after: that of the node itself, and one for each pod with a network of its own.',
    registers,
    collect() {
      this.set(places());
    },
  });
}

function registerQueueDepth(registers: Registry[], queueDepth: () => number): void {
  new Gauge({
    name: 'keepalive_queue_depth',
    help: 'Objects that wait to be reconciled. In the replica that acts it falls back to 0 soon after a change; if it grows there for minutes, the process cannot keep up.',
    registers,
    collect() {
      this.set(queueDepth());
    },
  });
}

function registerLeader(registers: Registry[], leading: () => boolean): void {
  new Gauge({
    name: 'keepalive_leader',
    help: '1 in the replica that acts, 0 in those that wait to take over. The sum over all replicas is 1, or 0 for some seconds of a takeover.',
    registers,
    collect() {
      this.set(leading() ? 1 : 0);
    },
  });
}

function registerReflectors(registers: Registry[], reflectors: () => Iterable<ReflectorReading>): void {
  new Gauge({
    name: 'keepalive_reflector_last_contact_seconds',
    help: 'Seconds since the API server last sent anything about a resource. A quiet watch hears a bookmark about once a minute; beyond ten minutes, what the process knows may be out of date.',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const { resource, secondsSinceContact } of reflectors())
        this.set({ resource }, secondsSinceContact);
    },
  });
  new Gauge({
    name: 'keepalive_store_objects',
    help: 'Objects of a resource that the process holds in memory.',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const { resource, objects } of reflectors()) this.set({ resource }, objects);
    },
  });
}
