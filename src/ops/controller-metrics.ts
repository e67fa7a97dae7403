import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import type { ReflectorReading } from './metrics.ts';
import { processRegistry } from './metrics.ts';
import type { PolicyReading } from './policy-metrics.ts';
import { registerPolicies } from './policy-metrics.ts';

/** How reconciling one object ended. */
export type Outcome = 'done' | 'again' | 'failed' | 'stalled';

/** What is read at the moment of a scrape. */
export interface ControllerMetricSources {
  readonly version: string;
  readonly queueDepth: () => number;
  readonly leading: () => boolean;
  readonly reflectors: () => Iterable<ReflectorReading>;
  readonly policies: () => Iterable<PolicyReading>;
  readonly policiesInExcess: () => number;
  /** Undefined where none is meant to be. */
  readonly agents: () => AgentsReading | undefined;
}

/** Nodes that are to have an agent, and those whose agent is ready and has reported. */
export interface AgentsReading {
  readonly wanted: number;
  readonly reporting: number;
}

export interface ControllerMetrics {
  readonly registry: Registry;
  readonly reconciles: Counter<'kind' | 'outcome'>;
  readonly reconcileSeconds: Histogram<'kind'>;
  readonly apiRequests: Counter<'verb' | 'resource' | 'code'>;
  readonly answers: Counter<'answer'>;
}

export function createControllerMetrics(sources: ControllerMetricSources): ControllerMetrics {
  const registry = processRegistry({ version: sources.version, component: 'controller' });
  const registers = [registry];
  registerQueueDepth(registers, sources.queueDepth);
  registerLeader(registers, sources.leading);
  registerReflectors(registers, sources.reflectors);
  registerAgents(registers, sources.agents);
  registerPolicies(registers, sources.policies);
  registerExcess(registers, sources.policiesInExcess);
  return {
    registry,
    ...reconcileMetrics(registers),
    apiRequests: new Counter({
      name: 'keepalive_api_requests_total',
      help: 'Requests to the API server, by verb, resource and HTTP status; code 0 means that no answer came. A watch counts once, when it is opened.',
      labelNames: ['verb', 'resource', 'code'],
      registers,
    }),
    answers: new Counter({
      name: 'keepalive_admission_answers_total',
      help: 'Answers of the API server, for each kind of policy, to the question what it acts by: seen (by what was written last), open (not yet), silent (new pods start without the values), none (it could not be asked).',
      labelNames: ['answer'],
      registers,
    }),
  };
}

function reconcileMetrics(registers: Registry[]): Pick<ControllerMetrics, 'reconciles' | 'reconcileSeconds'> {
  return {
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
  };
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

function registerExcess(registers: Registry[], policiesInExcess: () => number): void {
  new Gauge({
    name: 'keepalive_policies_in_excess',
    help: 'Policies that are more than their namespaces may have: nothing is done for them, and nothing else here tells of them. The same in each replica.',
    registers,
    collect() {
      this.set(policiesInExcess());
    },
  });
}

function registerAgents(registers: Registry[], agents: () => AgentsReading | undefined): void {
  const gauge = (name: string, help: string, of: keyof AgentsReading) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        const reading = agents();
        if (reading === undefined) this.remove();
        else this.set(reading[of]);
      },
    });
  gauge(
    'keepalive_agents_wanted',
    'Nodes that are to have an agent, as the DaemonSets of the agents say; where none is known, nodes that have a NodeKeepalive. Missing where there is neither.',
    'wanted',
  );
  gauge(
    'keepalive_agents_reporting',
    'Nodes whose agent is ready and has reported. Where it is less than keepalive_agents_wanted, running pods of the other nodes are not looked after.',
    'reporting',
  );
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
