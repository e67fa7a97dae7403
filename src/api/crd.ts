import * as z from 'zod';

import type { PolicyKind } from './group.ts';
import { GROUP, nameLimit, OPERATOR_LABELS, plurals, VERSION } from './group.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from './spec.ts';
import { policyStatusSchema } from './status.ts';

type Schema = Record<string, unknown>;

/**
 * A structural schema, as the API server asks for: zod's JSON Schema less what a CRD may not have.
 * Throws on a union, which has no structural form.
 */
export function structuralSchema(schema: z.ZodType): Schema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => {
      adapt(jsonSchema);
    },
  }) as Schema;
  return converted;
}

function adapt(node: Schema): void {
  if ('anyOf' in node || 'oneOf' in node) throw new Error('a union has no form in a structural schema');
  // A record's value schema stays; the `false` of closed objects may not stand beside properties.
  if (node.additionalProperties === false) delete node.additionalProperties;
  delete node.propertyNames;
  if (node.type === 'integer' && node.format === undefined) node.format = 'int32';
  // The bounds of a safe integer say nothing that int64 does not say.
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node['x-kubernetes-validations'] instanceof Array && node['x-kubernetes-validations'].length === 0) {
    delete node['x-kubernetes-validations'];
  }
}

interface Column {
  readonly name: string;
  readonly type: 'integer' | 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: shown with `-o wide` only. */
  readonly priority?: 1;
}

const ready = '.status.conditions[?(@.type=="Ready")]';
const columns: readonly Column[] = [
  {
    name: 'Timeout',
    type: 'integer',
    jsonPath: '.status.effective.idleTimeoutSeconds',
    description: 'Shortest idle timeout of the path, in seconds.',
  },
  {
    name: 'Time',
    type: 'integer',
    jsonPath: '.status.effective.timeSeconds',
    description: 'tcp_keepalive_time, in seconds.',
  },
  {
    name: 'Interval',
    type: 'integer',
    jsonPath: '.status.effective.intervalSeconds',
    description: 'tcp_keepalive_intvl, in seconds.',
  },
  {
    name: 'Probes',
    type: 'integer',
    jsonPath: '.status.effective.probes',
    description: 'tcp_keepalive_probes.',
  },
  {
    name: 'Pods',
    type: 'string',
    jsonPath: '.status.pods.summary',
    description: 'Pods whose spec carries values under the timeout, of those selected.',
  },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: `${ready}.status`,
    description: 'Whether the policy is in force.',
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
  { name: 'Mode', type: 'string', jsonPath: '.spec.mode', description: 'Enforce or Audit.', priority: 1 },
  {
    name: 'Limited-By',
    type: 'string',
    jsonPath: '.status.effective.limitedBy',
    description: 'The hop that forgets first.',
    priority: 1,
  },
  {
    name: 'Message',
    type: 'string',
    jsonPath: `${ready}.message`,
    description: 'What the Ready condition says.',
    priority: 1,
  },
];

interface Kind {
  readonly kind: PolicyKind;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly spec: z.ZodType;
}

export const policyKinds: Readonly<Record<PolicyKind, Kind>> = {
  KeepalivePolicy: {
    kind: 'KeepalivePolicy',
    plural: plurals.KeepalivePolicy,
    shortName: 'kap',
    scope: 'Namespaced',
    description:
      'Declares what stands between the pods of one namespace and their peers, and after how long each forgets ' +
      'an idle TCP connection. The operator keeps the TCP keepalive of those pods below the shortest.',
    spec: keepalivePolicySpecSchema,
  },
  ClusterKeepalivePolicy: {
    kind: 'ClusterKeepalivePolicy',
    plural: plurals.ClusterKeepalivePolicy,
    shortName: 'ckap',
    scope: 'Cluster',
    description:
      'Declares what stands between pods of many namespaces, or nodes, and their peers, and after how long each ' +
      'forgets an idle TCP connection. The operator keeps their TCP keepalive below the shortest.',
    spec: clusterKeepalivePolicySpecSchema,
  },
};

const nameRule = { rule: `size(self.metadata.name) <= ${nameLimit.max}`, message: nameLimit.message };

/** The CustomResourceDefinition of one kind, as it stands in crds/. */
export function crdOf({ kind, plural, shortName, scope, description, spec }: Kind): Schema {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: OPERATOR_LABELS },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['keepalive'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
                kind: { type: 'string', description: kind },
                metadata: { type: 'object' },
                spec: structuralSchema(spec),
                status: structuralSchema(policyStatusSchema),
              },
              'x-kubernetes-validations': [nameRule],
            },
          },
        },
      ],
    },
  };
}
