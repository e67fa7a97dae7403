import type { PolicyStatus } from '../api/status.ts';
import type { PolicyReading } from '../ops/policy-metrics.ts';
import type { Circumstances } from '../policy/plan.ts';

/** Of what was decided, whether it is written yet or waits for its time: metrics are exact where a status may be behind. */
export function readingOf(
  { record, settings: { settings } }: Pick<Circumstances, 'record' | 'settings'>,
  { pods, hosts, connections, conditions = [] }: PolicyStatus,
): PolicyReading {
  const { kind, namespace, name, policy } = record;
  const known = conditions.filter(({ status }) => status !== 'Unknown');
  return {
    ...{ kind, namespace, name },
    podsSelected: pods?.selected,
    podsLive: pods?.live,
    hostsSelected: hosts?.selected,
    hostsLive: hosts?.live,
    connectionsEstablished: connections?.established,
    connectionsExposed: connections?.exposed,
    isEnforced: policy && policy.spec.mode === 'Enforce' && settings.acting === 'Enforce',
    conditions: new Map(known.map(({ type, status }) => [type, status === 'True'])),
  };
}
