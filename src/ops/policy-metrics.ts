import { setImmediate } from 'node:timers/promises';

import { Gauge, type Registry } from 'prom-client';

/** One policy as it was last looked at; what is undefined nobody knows. */
export interface PolicyReading {
  readonly kind: string;
  /** Empty for a cluster policy. */
  readonly namespace: string;
  readonly name: string;
  readonly podsSelected: number | undefined;
  readonly podsLive: number | undefined;
  readonly podsUncovered: number | undefined;
  /** Of a policy that is for nodes. */
  readonly hostsSelected: number | undefined;
  readonly hostsLive: number | undefined;
  readonly hostsUncovered: number | undefined;
  readonly connectionsEstablished: number | undefined;
  readonly connectionsExposed: number | undefined;
  /** Whether it may change anything: neither its mode nor the switch of the cluster keeps it from that. */
  readonly isEnforced: boolean | undefined;
  /** Why nobody can tell whether what it selects is covered, where that is so. */
  readonly coveredUnknown: string | undefined;
  /** By their type; those that are neither true nor false are left out. */
  readonly conditions: ReadonlyMap<string, boolean>;
}

// `namespace` is that of the pod that is scraped: Prometheus would rename ours.
const labelNames = ['kind', 'policy_namespace', 'policy'];
const labelsOf = ({ kind, namespace, name }: PolicyReading) => ({
  ...{ kind, policy_namespace: namespace, policy: name },
});

/** So many policies at a time: a scrape of tens of thousands must not keep statuses, the lease and the webhook waiting. */
const atATime = 1000;

/** One gauge after the other: all of a scrape begin at once, and each would take its turn in the same step. */
class Scrape {
  #turn: Promise<unknown> = Promise.resolve();

  each(policies: () => Iterable<PolicyReading>, tell: (policy: PolicyReading) => void): Promise<void> {
    const told = this.#turn.then(async () => {
      // What was told before is put into text meanwhile.
      await setImmediate();
      let many = 0;
      for (const policy of policies()) {
        tell(policy);
        many += 1;
        if (many % atATime === 0) await setImmediate();
      }
    });
    this.#turn = told.catch(() => undefined);
    return told;
  }
}

/** Sets what is told of one policy, on top of the labels that name it. */
type Tell = (value: number, labels?: Readonly<Record<string, string>>) => void;

interface PolicyGauge {
  readonly name: string;
  readonly help: string;
  /** Beside those that name the policy. */
  readonly label?: string;
  readonly tell: (policy: PolicyReading, set: Tell) => void;
}

/** Of each policy a series for what is known of it, and none where nothing is: a missing one is not a zero. */
export function registerPolicies(registers: Registry[], policies: () => Iterable<PolicyReading>): void {
  const scrape = new Scrape();
  const register = ({ name, help, label, tell }: PolicyGauge) =>
    new Gauge({
      ...{ name, help, registers, labelNames: label === undefined ? labelNames : [...labelNames, label] },
      async collect() {
        this.reset();
        await scrape.each(policies, (policy) => {
          tell(policy, (value, labels) => {
            this.set({ ...labelsOf(policy), ...labels }, value);
          });
        });
      },
    });
  const gauge = (name: string, help: string, valueOf: (policy: PolicyReading) => number | undefined) =>
    register({
      ...{ name, help },
      tell: (policy, set) => {
        const value = valueOf(policy);
        if (value !== undefined) set(value);
      },
    });
  gauge(
    'keepalive_policy_pods_selected',
    'Pods that a policy selects and that have neither ended nor are ending. Of the replica that acts, as the next ones.',
    ({ podsSelected }) => podsSelected,
  );
  gauge(
    'keepalive_policy_pods_live',
    'Of these, pods whose kernel was read and holds values that are enough. Missing while no node agent reports.',
    ({ podsLive }) => podsLive,
  );
  gauge(
    'keepalive_policy_pods_uncovered',
    'Of the selected ones, pods that are not covered for certain: what their kernel holds is not enough or cannot be read, or nobody may or can change it. Without those that have not started. Missing while no node agent reports.',
    ({ podsUncovered }) => podsUncovered,
  );
  gauge(
    'keepalive_policy_hosts_selected',
    'Nodes that a policy is for by its spec.nodes. Missing where it is for none.',
    ({ hostsSelected }) => hostsSelected,
  );
  gauge(
    'keepalive_policy_hosts_live',
    'Of these, nodes whose own network was read and holds values that are enough.',
    ({ hostsLive }) => hostsLive,
  );
  gauge(
    'keepalive_policy_hosts_uncovered',
    'Of the selected ones, nodes whose agent says that their own network holds values that are not enough, or cannot be read.',
    ({ hostsUncovered }) => hostsUncovered,
  );
  gauge(
    'keepalive_policy_connections_established',
    'Open TCP connections of the selected pods and nodes. Missing while no node agent has counted them.',
    ({ connectionsEstablished }) => connectionsEstablished,
  );
  gauge(
    'keepalive_policy_connections_exposed',
    'Of these, connections that will not speak before the idle timeout. Missing while no node agent has counted them.',
    ({ connectionsExposed }) => connectionsExposed,
  );
  gauge(
    'keepalive_policy_enforced',
    '1 where a policy may change what it selects; 0 where it only looks, by its mode or by the switch of the cluster. Missing where its spec cannot be read.',
    ({ isEnforced }) => (isEnforced === undefined ? undefined : Number(isEnforced)),
  );
  register({
    name: 'keepalive_policy_condition',
    help: '1 where a condition of a policy is True, 0 where it is False; missing where it is Unknown, or not there.',
    label: 'type',
    tell: ({ conditions }, set) => {
      for (const [type, holds] of conditions) set(Number(holds), { type });
    },
  });
  register({
    name: 'keepalive_policy_covered_unknown',
    help: '1 where nobody can tell whether what a policy selects is covered. The reason is one that no waiting ends, where there is one; else that of the condition Covered. Missing where that is True or False.',
    label: 'reason',
    tell: ({ coveredUnknown: reason }, set) => {
      if (reason !== undefined) set(1, { reason });
    },
  });
}
