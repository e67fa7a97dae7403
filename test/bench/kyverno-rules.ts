import { derive } from '../../src/api/derive.ts';
import type { TripleKey } from '../../src/api/triple.ts';
import { tripleKeys } from '../../src/api/triple.ts';
import { sysctlNames } from '../../src/policy/sysctl.ts';
import { policies, selectorOf } from './admission-crowds.ts';

const values = derive(90);
const held = 'request.object.spec.securityContext.sysctls || `[]`';

/** The smaller of the pod's own and ours. */
function smaller(key: TripleKey): string {
  const name = sysctlNames[key];
  const own = `to_number((${held})[?name == '${name}'].value | [0] || '${values[key]}')`;
  return `{name: '${name}', value: to_string(min([\`${values[key]}\`, ${own}]))}`;
}

/**
 * A hundred rules that do what a policy of ours does, as far as Kyverno's language can: values only become smaller, whatever
 * else the pod names stays. What it has no words for: a hop's timeout, Audit, several hops, what a pod says to be left alone.
 */
export function keepaliveRules(namespace: string): object[] {
  const others = `(${held})[?!starts_with(name, 'net.ipv4.tcp_keepalive_')]`;
  const ours = `[${tripleKeys.map(smaller).join(', ')}]`;
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
