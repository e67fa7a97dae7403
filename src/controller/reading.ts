import type { PolicyStatus } from '../api/status.ts';
import type { PolicyReading } from '../ops/policy-metrics.ts';
import type { PolicyRecord } from '../policy/record.ts';

/** Of what was decided, whether it is written yet or waits for its time: metrics are exact where a status may be behind. */
export function readingOf(
  { kind, namespace, name }: Pick<PolicyRecord, 'kind' | 'namespace' | 'name'>,
  { pods, connections, conditions = [] }: PolicyStatus,
): PolicyReading {
  const known = conditions.filter(({ status }) => status !== 'Unknown');
  return {
    ...{ kind, namespace, name },
    podsSelected: pods?.selected,
    podsLive: pods?.live,
    connectionsEstablished: connections?.established,
    connectionsExposed: connections?.exposed,
    conditions: new Map(known.map(({ type, status }) => [type, status === 'True'])),
  };
}
