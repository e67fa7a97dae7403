import { hostname } from 'node:os';
import { isIPv6 } from 'node:net';
import { parseArgs } from 'node:util';
// Not as `{ z }`: a bundle then holds all of zod.
import * as z from 'zod';

export interface Address {
  readonly host: string;
  readonly port: number;
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The `error` of each field reads on after "expected". */
const text = (expected: string) => z.string({ error: expected }).min(1, { error: expected });
const dnsName = (expected: string) =>
  text(expected).regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, expected);

const expectedAddress = 'host:port, as in [::]:8080 or 127.0.0.1:8080';
const address = z.string({ error: expectedAddress }).transform((value, context): Address => {
  const parsed = parseAddress(value);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: expectedAddress });
  return z.NEVER;
});

const ways = ['auto', 'policy', 'webhook'] as const;
const amounts = ['some', 'none'] as const;
const expectedConcurrency = 'a whole number from 1 to 64';

/** A field `leaseName` is the variable LEASE_NAME and the flag `--lease-name`; the flag wins. */
export const controllerConfig = z.object({
  logLevel: z.enum(levels, { error: `one of ${levels.join(', ')}` }).default('info'),
  podName: text('the name of the pod').default(() => hostname()),
  podNamespace: dnsName('the name of a namespace').default('keepalive-system'),
  metricsAddress: address.prefault('[::]:8080'),
  agents: z.enum(amounts, { error: amounts.join(' or ') }).default('some'),
  agentNamespace: dnsName('the name of a namespace').optional(),
  admission: z.enum(ways, { error: ways.join(' or ') }).default('auto'),
  webhookAddress: address.prefault('[::]:9443'),
  leaseName: dnsName('the name of a Lease').default('keepalive-controller'),
  concurrency: z
    .string({ error: expectedConcurrency })
    .regex(/^\d{1,2}$/, { error: expectedConcurrency })
    .transform(Number)
    .pipe(z.number().min(1, { error: expectedConcurrency }).max(64, { error: expectedConcurrency }))
    .prefault('4'),
});

/**
 * Where the agents are. In the manifests they have a namespace of their own; an overlay that puts the controller into
 * another one by `namespace` has put the agents there too. Where there are none, anybody may make a namespace of that name, and
 * what he has there is to be believed by nobody.
 */
export function agentNamespaceOf({ agents, agentNamespace, podNamespace }: ControllerConfig): string {
  if (agents === 'none') return podNamespace;
  return agentNamespace ?? (podNamespace === 'keepalive-system' ? 'keepalive-agent' : podNamespace);
}

const wholeSeconds = (expected: string, max: number) =>
  z
    .string({ error: expected })
    .regex(/^\d{1,5}$/, { error: expected })
    .transform(Number)
    .pipe(z.number().min(1, { error: expected }).max(max, { error: expected }));
const folder = (expected: string) => text(expected).regex(/^\//, { error: expected });

export const agentConfig = z.object({
  logLevel: z.enum(levels, { error: `one of ${levels.join(', ')}` }).default('info'),
  nodeName: dnsName('the name of the node this runs on'),
  podName: text('the name of the pod').default(() => hostname()),
  podNamespace: dnsName('the name of a namespace').default('keepalive-agent'),
  settingsNamespace: dnsName('the name of a namespace').optional(),
  metricsAddress: address.prefault('[::]:8080'),
  procRoot: folder("an absolute path: where the host's /proc is mounted").default('/host/proc'),
  stateFolder: folder('an absolute path: a folder of the host that its next start clears').default(
    '/run/keepalive.dev',
  ),
  resyncSeconds: wholeSeconds('whole seconds from 1 to 3600', 3600).prefault('30'),
  reportSeconds: wholeSeconds('whole seconds from 1 to 3600', 3600).prefault('10'),
  countSeconds: wholeSeconds('whole seconds from 1 to 3600', 3600).prefault('60'),
  connections: z.enum(['Auto', 'Descriptors'], { error: 'Auto or Descriptors' }).default('Auto'),
  peerAddresses: z.enum(['Show', 'Hide'], { error: 'Show or Hide' }).default('Hide'),
});

/** Where the settings are: the same, seen from an agent. */
export function settingsNamespaceOf({ settingsNamespace, podNamespace }: AgentConfig): string {
  return settingsNamespace ?? (podNamespace === 'keepalive-agent' ? 'keepalive-system' : podNamespace);
}

export type AgentConfig = Readonly<z.output<typeof agentConfig>>;
export type ControllerConfig = Readonly<z.output<typeof controllerConfig>>;

/** Its message names each variable, what was expected and what was got; for standard error, without a stack. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Deep-frozen. Throws a {@link ConfigError} that tells of everything that is wrong at once. */
export function readConfig<S extends z.ZodObject>(
  schema: S,
  environment: NodeJS.ProcessEnv,
  argv: readonly string[] = [],
): Readonly<z.output<S>> {
  const fields = Object.keys(schema.shape);
  const flags = readFlags(fields, argv);
  const given: Record<string, string> = {};
  for (const field of fields) {
    // An empty variable is an unset one: manifests write `value: ""` for "default".
    const value = flags[flagOf(field)] ?? (environment[variableOf(field)] || undefined);
    if (value !== undefined) given[field] = value;
  }
  const result = schema.safeParse(given);
  if (result.success) return freezeDeep(result.data);
  throw new ConfigError(result.error.issues.map((issue) => describe(issue, given)).join('\n'));
}

function describe({ path, message }: z.core.$ZodIssue, given: Record<string, string>): string {
  const field = String(path[0]);
  const got = given[field] === undefined ? 'nothing' : JSON.stringify(given[field]);
  return `${variableOf(field)} (or --${flagOf(field)}): expected ${message}, got ${got}`;
}

function readFlags(fields: readonly string[], argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(fields.map((field) => [flagOf(field), { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
  } catch (error) {
    const known = fields.map((field) => `--${flagOf(field)}`).join(', ');
    // The first sentence names the argument; what follows is advice on positionals, which we have none of.
    const [complaint] = (error as Error).message.split('. ');
    throw new ConfigError(`${complaint}; expected ${known}`);
  }
}

function parseAddress(value: string): Address | undefined {
  const { host, port } = /^(?<host>\[[^\]]+\]|[^:]+):(?<port>\d{1,5})$/.exec(value)?.groups ?? {};
  if (host === undefined || Number(port) > 65_535) return undefined;
  if (!host.startsWith('[')) return { host, port: Number(port) };
  const bare = host.slice(1, -1);
  return isIPv6(bare) ? { host: bare, port: Number(port) } : undefined;
}

const flagOf = (field: string) => field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const variableOf = (field: string) => flagOf(field).replaceAll('-', '_').toUpperCase();

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freezeDeep);
  return Object.freeze(value);
}
