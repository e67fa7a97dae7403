import * as z from 'zod';

import { connectionsSchema, count, findingFields, skippedBySchema } from './status.ts';

/** As the kernel holds them: unlike what a policy may ask for, they have no bounds but those of an int. It takes a time below 0, and gives it back. */
const valuesSchema = z.object({
  timeSeconds: z.int32().optional().describe('tcp_keepalive_time, in seconds.'),
  intervalSeconds: z.int32().optional().describe('tcp_keepalive_intvl, in seconds.'),
  probes: z.int32().optional().describe('tcp_keepalive_probes.'),
});

const hostSchema = z
  .object({
    now: valuesSchema.describe('Read from the kernel.'),
    wanted: valuesSchema
      .optional()
      .describe(
        'What is written where its own values are not enough. Absent where no policy asks for this node.',
      ),
    found: valuesSchema
      .optional()
      .describe(
        'What the values were before the agent first changed them, and will be again when no policy asks any more. ' +
          'Only those that it changed.',
      ),
    repaired: count()
      .optional()
      .describe('How often a value was put right after something else had made it looser.'),
  })
  .describe("The node's own network namespace, which pods with hostNetwork share.");

const policySchema = z.object({
  kind: z.enum(['KeepalivePolicy', 'ClusterKeepalivePolicy']).describe('Of the policy.'),
  namespace: z.string().optional().describe('Of the policy. Absent for a cluster policy.'),
  name: z.string().describe('Of the policy.'),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .describe('The generation of the policy that this speaks of.'),
  policyDigest: count()
    .optional()
    .describe(
      'Which policy of that name this speaks of, by its uid, and which values follow from it here: one that is deleted and made again begins at ' +
        'generation 1 as well.',
    ),
  selected: count().describe('Pods of this node that it selects and that have neither ended nor are ending.'),
  live: count().describe('Of these, pods whose kernel holds values that are enough for the idle timeout.'),
  pending: count().optional().describe('Of these, pods of which no container has started yet.'),
  skippedBy: skippedBySchema.optional(),
  podsDigest: count()
    .optional()
    .describe(
      'Which pods these are: a sum over their uids. Where another is in the place of one of them, it is another, and the controller knows that ' +
        'nothing was read of that one yet.',
    ),
  unheeded: count()
    .optional()
    .describe(
      'Of these, pods whose spec carries values that are enough and whose runtime does not heed them (gVisor): a policy does not count them as declared.',
    ),
  repaired: count()
    .optional()
    .describe('How often a value of these pods was put right after something else had made it looser.'),
  host: z
    .enum(['Live', 'NotLive'])
    .optional()
    .describe("Whether the node's own network holds its values. Absent where it does not select the node."),
  connections: connectionsSchema.optional(),
  uncounted: count()
    .optional()
    .describe(
      'Of these pods, and of the network of the node, how many have connections that nobody has looked at yet: none of them is in the sums.',
    ),
  ...findingFields,
});
export type NodePolicyReport = z.infer<typeof policySchema>;

/** More than fit into the bytes that an agent writes at most, however short each is. */
const mostPolicies = 4096;

const trackerSchema = z.object({
  type: z.enum(['Conntrack', 'IPVS']).describe('What it is.'),
  idleTimeoutSeconds: count().describe('After so many seconds of silence it forgets a connection.'),
  source: z.string().describe('Where the number was read.'),
});

const kubeProxySchema = z
  .object({
    mode: z.string().describe('iptables, ipvs or nftables.'),
    ipvsTcpTimeout: z.string().optional().describe("As configured; 0s leaves the kernel's own."),
    conntrackTcpEstablishedTimeout: z
      .string()
      .optional()
      .describe("As configured; 0s leaves the kernel's own."),
  })
  .describe('What the kube-proxy of the node says of itself, where it listens on 127.0.0.1:10249.');

const connectionsReachSchema = z
  .object({
    by: z
      .enum(['BPF', 'Descriptors', 'ValuesOnly'])
      .describe(
        'BPF: the kernel gives connections of pods their values when they are established. Descriptors: sockets are found by the descriptors of ' +
          'programs, at most half a minute later. ValuesOnly: neither can be had, so only programs that ask for keepalive themselves have it.',
      ),
    countedBy: z
      .enum(['BPF', 'Descriptors', 'Nobody'])
      .describe(
        'What tells how connections stand. Those of the network of the node are found by descriptors where control groups of version 1 are in use.',
      ),
    why: z.string().optional().describe('Why it is not BPF, or not all of it.'),
  })
  .describe('How the agent reaches open connections on this node.');

const shortenedSchema = z.object({
  namespace: z.string().optional().describe('Of the policies. Absent for cluster policies.'),
  policies: count().describe('How many policies of it select the node or one of its pods.'),
  leftOut: count().describe('Of these, policies of which nothing is told here, not even totals: the newest.'),
});
export type ShortenedReport = z.infer<typeof shortenedSchema>;

export const nodeKeepaliveStatusSchema = z
  .object({
    agentVersion: z.string().optional().describe('Of the agent that wrote this.'),
    host: hostSchema.optional(),
    trackers: z
      .array(trackerSchema)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe('What the node itself would forget, as found; nothing is changed by looking.'),
    kubeProxy: kubeProxySchema.optional(),
    connections: connectionsReachSchema.optional(),
    pods: z
      .object({
        selected: count().describe('Pods of this node that any policy selects.'),
        live: count().describe(
          'Of these, pods whose kernel stays under the timeouts of all that select them.',
        ),
        summary: z.string().describe('live/selected, for the PODS column of kubectl get.'),
      })
      .optional()
      .describe('All pods of the node that policies select.'),
    policies: z
      .array(policySchema)
      .max(mostPolicies)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe('Policies that select the node or one of its pods, as far as there is room for them.'),
    shortened: z
      .array(shortenedSchema)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe(
        'Whose policies there was not room for in full. What is above is shared alike between namespaces and between the policies of ' +
          'each; what is told of a policy is right, but not all of its findings, or nothing at all, may be told.',
      ),
  })
  .describe('What the kernel of one node holds. Written by the agent of that node, when it changes.');
export type NodeKeepaliveStatus = z.infer<typeof nodeKeepaliveStatusSchema>;
