import * as z from 'zod';

import { keepaliveRule, keepaliveSchema } from './keepalive.ts';
import { pathSchema } from './path.ts';
import type { Rule } from './rule.ts';
import { withRules } from './rule.ts';
import { labelSelectorSchema, namespaceSelectorSchema } from './selector.ts';

const shared = {
  path: pathSchema,
  keepalive: keepaliveSchema
    .optional()
    .describe(
      'Values of your own instead of the derived ones; what is left out is derived to fit. ' +
        'Nothing in the selected pods stays above a declared value. Two probes must be due before the shortest idle timeout ' +
        'of the path: (timeSeconds + intervalSeconds) x 9/8 below it, and at least 2 probes.',
    ),
  mode: z
    .enum(['Enforce', 'Audit'])
    .default('Enforce')
    .describe(
      'Enforce keeps the values of the selected pods at or below the effective ones. Audit changes nothing and only reports.',
    ),
  openConnections: z
    .enum(['Repair', 'Observe'])
    .default('Repair')
    .describe(
      'For the node agent: Repair gives keepalive, with these values, to sockets that are open already or never asked ' +
        'for it; Observe only counts them. Nothing is ever made longer. Without the node agent nothing acts on them.',
    ),
};

export const keepalivePolicySpecSchema = withRules(
  z.object({
    podSelector: labelSelectorSchema.describe(
      'Which pods of this namespace. An empty selector ({}) selects all of them.',
    ),
    ...shared,
  }),
  [keepaliveRule],
).describe('Which pods, what stands between them and their peers, and what to do about it.');
export type KeepalivePolicySpec = z.infer<typeof keepalivePolicySpecSchema>;

const clusterSpecShape = z.object({
  namespaceSelector: namespaceSelectorSchema
    .optional()
    .describe('Which namespaces, by their labels. Left out: all. An empty one ({}) is refused.'),
  podSelector: labelSelectorSchema
    .optional()
    .describe(
      'Which pods of those namespaces. An empty selector ({}) selects all of them; left out selects none.',
    ),
  nodes: z
    .object({
      selector: labelSelectorSchema.describe(
        'Which nodes, by their labels. An empty selector ({}) selects all.',
      ),
    })
    .optional()
    .describe(
      'For the node agent: nodes whose own network namespace gets the same values, which is what covers ' +
        'pods with hostNetwork. Other pods are never selected by their node. Without the node agent nothing acts on nodes.',
    ),
  ...shared,
});

const clusterRules: readonly Rule<z.infer<typeof clusterSpecShape>>[] = [
  keepaliveRule,
  {
    rule: 'has(self.podSelector) || has(self.nodes)',
    message: 'nothing is selected: declare podSelector ({} selects every pod), nodes, or both',
    check: ({ podSelector, nodes }) => podSelector !== undefined || nodes !== undefined,
  },
];

export const clusterKeepalivePolicySpecSchema = withRules(clusterSpecShape, clusterRules).describe(
  'Which pods and nodes, what stands between them and their peers, and what to do about it.',
);
export type ClusterKeepalivePolicySpec = z.infer<typeof clusterKeepalivePolicySpecSchema>;
export type PolicySpec = KeepalivePolicySpec | ClusterKeepalivePolicySpec;
