import type { PolicyStatus } from '../api/status.ts';
import type { PolicyReading } from '../ops/policy-metrics.ts';
import type { Circumstances, Plan } from '../policy/plan.ts';

type Decided = Pick<Plan, 'status' | 'coverage'>;

/** What each policy was last found to be. */
export class Readings {
  readonly #readings = new Map<string, PolicyReading>();

  /** Of those in excess it is told how many there are: as many as a tenant likes would make each scrape as long as he likes. */
  note(
    key: string,
    circumstances: Pick<Circumstances, 'record' | 'settings' | 'inExcess'>,
    planned: Decided,
  ) {
    if (circumstances.inExcess) this.#readings.delete(key);
    else this.#readings.set(key, readingOf(circumstances, planned));
  }

  forget(key: string): void {
    this.#readings.delete(key);
  }

  values(): Iterable<PolicyReading> {
    return this.#readings.values();
  }
}

/** Of what was decided, whether it is written yet or waits for its time: metrics are exact where a status may be behind. */
export function readingOf(
  { record, settings: { settings } }: Pick<Circumstances, 'record' | 'settings'>,
  { status, coverage }: Decided,
): PolicyReading {
  const { kind, namespace, name, policy } = record;
  const { uncovered, lasting, reason } = coverage;
  const known = (status.conditions ?? []).filter(({ status }) => status !== 'Unknown');
  return {
    ...{ kind, namespace, name },
    ...countsOf(status),
    podsUncovered: uncovered?.pods,
    hostsUncovered: uncovered?.hosts,
    isEnforced: policy && policy.spec.mode === 'Enforce' && settings.acting === 'Enforce',
    coveredUnknown: coverage.status === 'Unknown' ? (lasting ?? reason) : undefined,
    conditions: new Map(known.map(({ type, status }) => [type, status === 'True'])),
  };
}

function countsOf({ pods, hosts, connections }: PolicyStatus) {
  return {
    podsSelected: pods?.selected,
    podsLive: pods?.live,
    hostsSelected: hosts?.selected,
    hostsLive: hosts?.live,
    connectionsEstablished: connections?.established,
    connectionsExposed: connections?.exposed,
  };
}
