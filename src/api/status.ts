import * as z from 'zod';

import { idleTimeoutBounds } from './idle-timeout.ts';
import { keepaliveSchema } from './keepalive.ts';
import { kernelDefaults } from './triple.ts';

/** Findings listed in a status; the rest is in the total beside them. */
export const findingLimit = 20;

/** Why a selected pod is left as it is. */
export const skipReasons = ['SkipLabel', 'HostNetwork', 'Windows', 'StaticPod', 'PodSecurityPinned'] as const;
export type SkipReason = (typeof skipReasons)[number];

export const count = () => z.int32().min(0);

const effectiveSchema = z
  .object({
    idleTimeoutSeconds: z
      .int32()
      .min(idleTimeoutBounds.min)
      .max(idleTimeoutBounds.max)
      .describe('The shortest idle timeout of the path, in seconds.'),
    limitedBy: z.string().describe('The hop that has it.'),
    timeSeconds: z.int32().min(1).max(kernelDefaults.timeSeconds).describe('tcp_keepalive_time.'),
    intervalSeconds: z.int32().min(1).max(kernelDefaults.intervalSeconds).describe('tcp_keepalive_intvl.'),
    probes: z.int32().min(1).max(kernelDefaults.probes).describe('tcp_keepalive_probes.'),
    declared: keepaliveSchema
      .optional()
      .describe(
        'What spec.keepalive declares: selected pods are kept at or below these even where more would be enough.',
      ),
  })
  .describe('The values that follow from the path. Absent where the spec cannot be read.');
export type Effective = z.infer<typeof effectiveSchema>;

export const skippedBySchema = z
  .array(
    z.object({
      reason: z.enum(skipReasons).describe('Why these pods are left as they are.'),
      count: count().describe('How many.'),
    }),
  )
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['reason'] })
  .describe('The skipped ones by reason.');
export type SkippedBy = z.infer<typeof skippedBySchema>;

const podsSchema = z
  .object({
    selected: count().describe('Pods that the policy selects and that have neither ended nor are ending.'),
    declared: count().describe(
      'Of these, pods whose spec carries values that are enough for the idle timeout: two probes are due before it. ' +
        'Without those of which a node agent sees that their runtime does not heed them (gVisor).',
    ),
    live: count()
      .optional()
      .describe(
        'Of these, pods whose kernel was read and holds values that are enough for the idle timeout. ' +
          'Absent while no node agent reports.',
      ),
    pending: count()
      .optional()
      .describe(
        'Of these, pods of which no container has started yet. They are not live, whatever their specs declare. ' +
          'Absent where there is none.',
      ),
    skipped: count().describe('Of these, pods that cannot be or asked not to be changed.'),
    skippedBy: skippedBySchema.optional(),
    summary: z
      .string()
      .describe(
        'live/selected where node agents report, else those of declared that have started/selected; for the PODS ' +
          'column of kubectl get.',
      ),
  })
  .describe('Pods, counted from their specs and, where node agents report, from the kernel.');
export type PodCounts = z.infer<typeof podsSchema>;

const nodesSchema = z
  .object({
    selected: count().describe('Nodes that run selected pods, and nodes that spec.nodes selects.'),
    reporting: count().describe('Of these, nodes whose agent is ready and has reported.'),
  })
  .describe('Where the policy has to be held. Absent while no node agent runs.');
export type NodeCounts = z.infer<typeof nodesSchema>;

export const connectionsSchema = z
  .object({
    established: count().describe('TCP connections that are open, but for those of the loopback.'),
    protected: count().describe(
      'Of these, connections with keepalive on that send two probes before the idle timeout.',
    ),
    exposed: count().describe(
      'Of the others, those that will not: keepalive is off, the program set longer values, or the timer was armed before values changed.',
    ),
    unknown: count().optional().describe('The rest: those of which nobody can tell when they speak next.'),
  })
  .describe('Open TCP connections, read from the sockets themselves. Absent while no node agent reports.');
export type ConnectionTotals = z.infer<typeof connectionsSchema>;

const hostsSchema = z
  .object({
    selected: count().describe('Nodes that spec.nodes selects.'),
    live: count().describe(
      'Of these, nodes whose own network namespace was read and holds values that are enough for the idle timeout.',
    ),
    summary: z.string().describe('live/selected, for the HOSTS column of kubectl get.'),
  })
  .describe('The network of the nodes themselves. Absent without spec.nodes, and while no node agent runs.');
export type HostCounts = z.infer<typeof hostsSchema>;

/** Namespaces of which a status remembers a refusal: each costs its bytes in every copy of the policy. */
export const refusalLimit = 64;

const time = (what: string) => z.string().meta({ format: 'date-time' }).describe(what);

const refusalSchema = z.object({
  namespace: z.string().describe('Where pods were refused.'),
  admission: z
    .enum(['Active', 'Withheld'])
    .describe('Withheld: new pods there are not changed for this policy. Active: it is tried again.'),
  since: time('Since when it is so.'),
  times: z.int32().min(1).describe('How often in a row it was refused: each time it is withheld for longer.'),
  refusedAt: time('The newest refusal that was known then, by the clock of whoever was refused.'),
  by: z.string().describe('Who refused, as far as the words tell.'),
  message: z.string().describe('In which words, shortened.'),
});
export type Refusal = z.infer<typeof refusalSchema>;

const findingSchema = z.object({
  reason: z.string().describe('One word in CamelCase.'),
  message: z.string().describe('What was seen and what to do.'),
  hop: z.string().optional().describe('The hop it is about.'),
  namespace: z.string().optional().describe('The namespace of the pod, for a cluster policy.'),
  pod: z.string().optional().describe('The pod it is about.'),
  node: z.string().optional().describe('The node of that pod, or the node it is about.'),
  policy: z.string().optional().describe('The other policy it is about.'),
});
export type Finding = z.infer<typeof findingSchema>;

export const findingFields = {
  findings: z
    .array(findingSchema)
    .max(findingLimit)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(`What is not covered and why, worst first, at most ${findingLimit}.`),
  findingsTotal: count().optional().describe('How many findings there are in all.'),
};

export const conditionTypes = ['Ready', 'Covered', 'Reconciling', 'Stalled'] as const;
const conditionSchema = z.object({
  type: z
    .enum(conditionTypes)
    .describe(
      'Ready: the policy is in force. Covered: every selected pod, node and open connection was read and is covered. ' +
        'Reconciling and Stalled are there only while true.',
    ),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().describe('One word in CamelCase.'),
  message: z.string().describe('What was seen and, where a person has to act, what to do.'),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .describe('The generation of the spec this was said of.'),
  lastTransitionTime: z.string().meta({ format: 'date-time' }).describe('When status last changed.'),
});
export type Condition = z.infer<typeof conditionSchema>;
export type ConditionType = Condition['type'];

/**
 * What the API server shows until the controller has looked. Without it kstatus, by which Flux and Helm wait, takes an object that has
 * no conditions for one that is as it should be.
 */
export const unseenStatus = { observedGeneration: -1 } as const;

export const policyStatusSchema = z
  .object({
    observedGeneration: z
      .int()
      .min(-1)
      .meta({ format: 'int64' })
      .optional()
      .describe('The generation of the spec that this status speaks of; -1 until the controller has looked.'),
    effective: effectiveSchema.optional(),
    admission: z
      .enum(['Active', 'Withheld'])
      .optional()
      .describe(
        'Withheld: new pods are not changed for this policy although its spec asks for it; the Ready condition says why. ' +
          'Absent is Active.',
      ),
    refusals: z
      .array(refusalSchema)
      .max(refusalLimit)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['namespace'] })
      .optional()
      .describe(
        'Namespaces in which something else refused pods with the values, at most ' +
          `${refusalLimit}. Read by admission: where it is Withheld, pods are left as they are.`,
      ),
    pods: podsSchema.optional(),
    nodes: nodesSchema.optional(),
    hosts: hostsSchema.optional(),
    connections: connectionsSchema.optional(),
    ...findingFields,
    conditions: z
      .array(conditionSchema)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
      .optional()
      .describe(
        'In the words of kstatus, which Flux, kubectl wait and others read; Covered is for kubectl wait and for people.',
      ),
  })
  .describe('What was observed. Written by the operator.');
export type PolicyStatus = z.infer<typeof policyStatusSchema>;
