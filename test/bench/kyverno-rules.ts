import { policies, selectorOf } from './admission-crowds.ts';

const values = { time: 30, intvl: 10, probes: 6 } as const;
const held = 'request.object.spec.securityContext.sysctls || `[]`';

/** The smaller of the pod's own and ours. */
function smaller(which: keyof typeof values): string {
  const name = `net.ipv4.tcp_keepalive_${which}`;
  const own = `to_number((${held})[?name == '${name}'].value | [0] || '${values[which]}')`;
  return `{name: '${name}', value: to_string(min([\`${values[which]}\`, ${own}]))}`;
}

/**
 * A hundred rules that do what a policy of ours does, as far as Kyverno's language can: values only become smaller, whatever
 * else the pod names stays. What it has no words for: a hop's timeout, Audit, several hops, what a pod says to be left alone.
 */
export function keepaliveRules(namespace: string): object[] {
  const others = `(${held})[?!starts_with(name, 'net.ipv4.tcp_keepalive_')]`;
  const ours = `[${(['time', 'intvl', 'probes'] as const).map(smaller).join(', ')}]`;
  return Array.from({ length: policies }, (_, index) => ({
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: `keepalive-${index}` },
    spec: {
      background: false,
      rules: [
        {
          name: 'keepalive',
          match: {
            any: [
              {
                resources: {
                  ...{ kinds: ['Pod'], operations: ['CREATE'], namespaces: [namespace] },
                  selector: selectorOf(index),
                },
              },
            ],
          },
          mutate: {
            patchStrategicMerge: {
              spec: { securityContext: { sysctls: `{{ [${others}, ${ours}][] }}` } },
            },
          },
        },
      ],
    },
  }));
}
