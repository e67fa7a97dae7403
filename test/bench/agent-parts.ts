import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Http2SecureServer, ServerHttp2Stream } from 'node:http2';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { build } from 'esbuild';

import { productBundle } from '../../scripts/product-bundle.ts';
import { issue } from '../../src/ops/certificate-issue.ts';
import { repository } from '../cluster/place.ts';
import { memoryOf } from './process-figures.ts';
import type { Row } from './result.ts';

/** It has given back what its start needed, as an agent has. */
const settledSeconds = 100;

interface Part {
  readonly what: string;
  /** In agent-parts/. */
  readonly file: string;
  /** In place of which one of the agent it is. */
  readonly insteadOf?: string;
  /** All of a package of which the agent has parts. */
  readonly isWhole?: boolean;
}

/** What the agent is made of, beside its own code. */
const own: readonly Part[] = [
  { what: 'a second thread that does nothing', file: 'thread' },
  { what: 'koffi, with the functions of the C library', file: 'koffi' },
  { what: 'a watch by the parts of undici', file: 'client' },
  { what: 'the server of /metrics and /readyz', file: 'health' },
  { what: 'prom-client, with the metrics', file: 'metrics' },
  { what: 'pino', file: 'log' },
  { what: 'zod, with the schemas of policies and configuration', file: 'schema' },
];
const others: readonly Part[] = [
  { what: 'node:ffi instead of koffi', file: 'ffi', insteadOf: 'koffi' },
  { what: 'all of undici instead of parts', file: 'client', insteadOf: 'client', isWhole: true },
  { what: 'node:http2 instead of undici', file: 'http2', insteadOf: 'client' },
];

interface Stage {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly started: ChildProcess[];
}

/**
 * Node processes of this machine in the environment of the agent's container: a bare one, one with each part alone, all parts together,
 * and all but one. `less`: of anonymous memory, where all parts are there but this one, or with this one in the place of the agent's.
 */
export async function partsAtRest(say: (text: string) => void): Promise<Row[]> {
  say(`Node with one part of the agent and another, ${settledSeconds} s each`);
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-parts-'));
  const server = await startServer(folder);
  const { port } = server.address() as AddressInfo;
  const environment = {
    ...process.env,
    ...{ NODE_ENV: 'production', NODE_OPTIONS: '--max-semi-space-size=1 --expose-gc', MALLOC_ARENA_MAX: '1' },
    ...{ KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: String(port), ACCOUNT: folder },
  };
  const stage = { folder, environment, started: [] };
  try {
    return await measure(stage);
  } finally {
    for (const child of (stage as Stage).started) child.kill('SIGKILL');
    server.close();
    rmSync(folder, { recursive: true });
  }
}

async function measure(stage: Stage): Promise<Row[]> {
  const bare = await start(stage, []);
  const all = await start(stage, own);
  const each: { part: Part; alone: number; without: number }[] = [];
  for (const part of [...own, ...others]) {
    const rest = own.filter(({ file }) => file !== (part.insteadOf ?? part.file));
    const without = await start(stage, part.insteadOf === undefined ? rest : [...rest, part]);
    each.push({ part, alone: await start(stage, [part]), without });
  }
  await delay(settledSeconds * 1000);
  const figuresOf = (pid: number) => {
    const { 'RSS MiB': rss = NaN, 'anonymous MiB': anonymous = NaN } = memoryOf(pid);
    return { 'RSS MiB': rss, 'anonymous MiB': anonymous };
  };
  const whole = figuresOf(all);
  return [
    { what: 'a bare Node process', figures: figuresOf(bare) },
    ...each.map(({ part: { what }, alone, without }) => {
      const less = whole['anonymous MiB'] - figuresOf(without)['anonymous MiB'];
      return { what: `it with ${what}`, figures: { ...figuresOf(alone), 'less MiB': less } };
    }),
    { what: 'it with all seven of the agent', figures: whole },
  ];
}

/** Its process. */
async function start({ folder, environment, started }: Stage, parts: readonly Part[]): Promise<number> {
  const outfile = join(folder, `${started.length}.mjs`);
  const files = ['start', ...parts.map(({ file }) => file)];
  await build({
    ...productBundle,
    ...(parts.some(({ isWhole }) => isWhole === true) ? { plugins: [] } : {}),
    stdin: {
      contents: files.map((file) => `import './${file}.ts';`).join('\n'),
      resolveDir: join(import.meta.dirname, 'agent-parts'),
    },
    outfile,
  });
  const child = spawn(process.execPath, [outfile], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  started.push(child);
  if (child.pid === undefined) throw new Error(`Node does not start: ${process.execPath}`);
  return child.pid;
}

/** What an API server is to a watch that hears nothing, and the files by which a pod finds it. */
async function startServer(folder: string): Promise<Http2SecureServer> {
  const { certificate, key, authorities } = await issue({
    ...{ host: 'localhost', now: new Date(), lifeMs: 86_400_000 },
  });
  writeFileSync(join(folder, 'ca.crt'), authorities.join(''));
  writeFileSync(join(folder, 'token'), 'none');
  // koffi is in no bundle.
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const server = createSecureServer({ cert: certificate, key });
  server.on('stream', (stream: ServerHttp2Stream) => {
    // Whoever is ended leaves it open.
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1"}}}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}
