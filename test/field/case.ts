import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

/** A TCP connection from one pod of the case to another, which runs `idle serve 7000`. */
const connectionSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  /** What its program asks for: nothing, SO_KEEPALIVE alone, or values of its own too, as `60/1/10`. */
  keepalive: z.union([z.enum(['none', 'asked']), z.string().regex(/^\d+\/\d+\/\d+$/)]).default('none'),
  userTimeoutSeconds: z.int().optional(),
  over: z.enum(['TCP', 'MPTCP']).default('TCP'),
  /** Before its policies are applied, or once they are Ready. */
  opened: z.enum(['before', 'after']).default('before'),
  /** What has become of it after the outage. */
  then: z.enum(['alive', 'dead']).default('alive'),
});

/** What is right in the case that a report from the field describes. */
const caseSchema = z.strictObject({
  /** Where it was reported. */
  report: z.url(),
  /** What is right, as a sentence. */
  right: z.string(),
  /** Words of `kubectl apply`, in a refusal or a warning. */
  told: z.array(z.string()).default([]),
  /** Whether `kubectl apply` takes all of it. */
  applied: z.enum(['taken', 'refused']).default('taken'),
  /** How kubectl sends it: clients of GitOps tools and old kubectls do not ask for strict validation. */
  validate: z.enum(['strict', 'ignore']).default('strict'),
  /** Applied a second time, nothing is changed and nothing refused. */
  again: z.literal('unchanged').optional(),
  /** By pod: what its kernel holds in the end, `30/10/6`. */
  pods: z.record(z.string(), z.string()).default({}),
  connections: z.array(connectionSchema).default([]),
  /** Connections fall silent together, and from that second on nothing passes between their pods for a while. */
  outage: z.strictObject({ atSecond: z.int(), seconds: z.int() }).optional(),
  /** By `kap/name` or `ckap/name`: what its status says in the end. */
  policies: z
    .record(
      z.string(),
      z.strictObject({
        ready: z.enum(['True', 'False']).optional(),
        pods: z.string().optional(),
        connections: z.record(z.enum(['established', 'protected', 'exposed', 'unknown']), z.int()).optional(),
        /** Reasons of all its findings. */
        findings: z.array(z.string()).optional(),
        /** Words that one of them has. */
        says: z.string().optional(),
      }),
    )
    .default({}),
});

export type Connection = z.output<typeof connectionSchema>;

export interface Manifest {
  readonly kind: string;
}

export interface Case extends z.output<typeof caseSchema> {
  /** Of its file, and of the namespace that it is played in. */
  readonly name: string;
  readonly manifests: readonly Manifest[];
}

const folder = join(import.meta.dirname, 'cases');

/** Each file is one case: what is right first, then the manifests of the report. */
export function readCases(): Case[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8'));
      const [right, ...manifests] = documents.map((document) => document.toJS() as Manifest);
      return { name: basename(file, '.yaml'), manifests, ...caseSchema.parse(right) };
    });
}
