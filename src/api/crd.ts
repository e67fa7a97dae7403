import * as z from 'zod';

import type { Column } from './column.ts';
import { clusterPolicyColumns, nodeColumns, policyColumns } from './column.ts';
import type { KindName, PolicyKind } from './group.ts';
import { GROUP, nameLimit, OPERATOR_LABELS, plurals, VERSION } from './group.ts';
import { nodeKeepaliveStatusSchema } from './node-keepalive.ts';
import { clusterKeepalivePolicySpecSchema, keepalivePolicySpecSchema } from './spec.ts';
import { celOf, known } from './rule.ts';
import { policyStatusSchema, unseenStatus } from './status.ts';

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
  giveWayToRule(node);
}

/** What intOrTold() and enumOrTold() leave to a rule. */
function giveWayToRule(node: Schema): void {
  if (node.enum === undefined) delete node.enum;
  if (node['x-kubernetes-int-or-string'] !== true) return;
  delete node.type;
  delete node.format;
}

interface Kind {
  readonly kind: KindName;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  /** None where there is nothing to declare. */
  readonly spec?: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly Column[];
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
    status: policyStatusSchema,
    columns: policyColumns,
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
    status: policyStatusSchema,
    columns: clusterPolicyColumns,
  },
};

export const kinds: Readonly<Record<KindName, Kind>> = {
  ...policyKinds,
  NodeKeepalive: {
    kind: 'NodeKeepalive',
    plural: plurals.NodeKeepalive,
    shortName: 'nka',
    scope: 'Cluster',
    description:
      'What the kernel of one node holds, as its agent read it: of the node itself and, policy by policy, of its pods. ' +
      'Named after the node and owned by it; there is nothing in it to declare.',
    status: nodeKeepaliveStatusSchema,
    columns: nodeColumns,
  },
};

const nameRule = known<{ metadata: { name?: string } }>({
  rule: `size(self.metadata.name) <= ${nameLimit.max}`,
  message: nameLimit.message,
  check: ({ metadata: { name = '' } }) => [...name].length <= nameLimit.max,
});

/** The CustomResourceDefinition of one kind, as it stands in crds/. */
export function crdOf({ kind, plural, shortName, scope, description, ...parts }: Kind): Schema {
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
          additionalPrinterColumns: parts.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              ...(parts.spec === undefined ? {} : { required: ['spec'] }),
              properties: {
                apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
                kind: { type: 'string', description: kind },
                metadata: { type: 'object' },
                ...(parts.spec === undefined ? {} : { spec: structuralSchema(parts.spec) }),
                status: {
                  ...structuralSchema(parts.status),
                  ...(parts.spec === undefined ? {} : { default: unseenStatus }),
                },
              },
              ...(parts.spec === undefined ? {} : { 'x-kubernetes-validations': [celOf(nameRule)] }),
            },
          },
        },
      ],
    },
  };
}
