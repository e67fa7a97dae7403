import * as z from 'zod';

import { idleTimeoutBounds } from './hop.ts';
import { kernelDefaults } from './keepalive.ts';

/** Findings listed in a status; the rest is in the total beside them. */
export const findingLimit = 20;

/** Why a selected pod is left as it is. */
export const skipReasons = ['SkipLabel', 'HostNetwork', 'Windows', 'StaticPod', 'PodSecurityPinned'] as const;
export type SkipReason = (typeof skipReasons)[number];

const count = () => z.int32().min(0);

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
  })
  .describe('The values that follow from the path. Absent where the spec cannot be read.');
export type Effective = z.infer<typeof effectiveSchema>;

const podsSchema = z
  .object({
    selected: count().describe('Pods that the policy selects and that have neither ended nor are ending.'),
    declared: count().describe(
      'Of these, pods whose spec carries values that keep the last probe before the idle timeout.',
    ),
    skipped: count().describe('Of these, pods that cannot be or asked not to be changed at their creation.'),
    skippedBy: z
      .array(
        z.object({
          reason: z.enum(skipReasons).describe('Why these pods are left as they are.'),
          count: count().describe('How many.'),
        }),
      )
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['reason'] })
      .optional()
      .describe('The skipped ones by reason.'),
    summary: z.string().describe('declared/selected, for the PODS column of kubectl get.'),
  })
  .describe('Pods, counted from their specs.');
export type PodCounts = z.infer<typeof podsSchema>;

const findingSchema = z.object({
  reason: z.string().describe('One word in CamelCase.'),
  message: z.string().describe('What was seen and what to do.'),
  hop: z.string().optional().describe('The hop it is about.'),
  namespace: z.string().optional().describe('The namespace of the pod, for a cluster policy.'),
  pod: z.string().optional().describe('The pod it is about.'),
  node: z.string().optional().describe('The node of that pod.'),
  policy: z.string().optional().describe('The other policy it is about.'),
});
export type Finding = z.infer<typeof findingSchema>;

export const conditionTypes = ['Ready', 'Reconciling', 'Stalled'] as const;
const conditionSchema = z.object({
  type: z
    .enum(conditionTypes)
    .describe('Ready, Reconciling or Stalled; the last two are there only while true.'),
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

export const policyStatusSchema = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .meta({ format: 'int64' })
      .optional()
      .describe('The generation of the spec that this status speaks of.'),
    effective: effectiveSchema.optional(),
    pods: podsSchema.optional(),
    findings: z
      .array(findingSchema)
      .max(findingLimit)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe(`What is not covered and why, worst first, at most ${findingLimit}.`),
    findingsTotal: count().optional().describe('How many findings there are in all.'),
    conditions: z
      .array(conditionSchema)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
      .optional()
      .describe('In the words of kstatus, which Flux, kubectl wait and others read.'),
  })
  .describe('What was observed. Written by the operator.');
export type PolicyStatus = z.infer<typeof policyStatusSchema>;
