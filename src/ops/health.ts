import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { Callers } from './callers.ts';
import { closeInTime, listen } from './listening.ts';
import { sparing } from './sparing.ts';

/**
 * Not by `import`: that reads every export of the module, WebSocket among them, for which Node 26 loads its own
 * copy of undici: 7 MiB of anonymous memory.
 */
const { createServer } = process.getBuiltinModule('node:http');

const silentMs = 10_000;
/** As long as Prometheus waits for a scrape unless it is told otherwise. */
const answerMs = 10_000;

/** Undefined when all is well, else what is wrong, for a person. */
export type Check = () => string | undefined;

export interface HealthOptions {
  /** `::` is every address of both families; of IPv4 alone where the kernel has no IPv6. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Failing ones make the kubelet restart the container: only what a restart can heal. */
  readonly live: Readonly<Record<string, Check>>;
  readonly ready: Readonly<Record<string, Check>>;
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
  /** Whoever has said nothing for so long is let go; 10 s unless told otherwise. */
  readonly silentMs?: number;
  /** Whoever has not read an answer so long after the question is let go; 10 s unless told otherwise. */
  readonly answerMs?: number;
}

interface Page {
  readonly code: number;
  readonly text: string;
  readonly contentType?: string;
}

/** Answers `/metrics`, `/livez` and `/readyz`; `?verbose` lists each check, as the API server does. */
export class HealthServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects when the address cannot be had. */
  static async start(options: HealthOptions): Promise<HealthServer> {
    const callers = new Callers(options.answerMs ?? answerMs);
    const served = { ...options, metrics: sparing(options.metrics) };
    const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
      if (callers.isAnswered(request.socket, response)) void respond(request, response, served);
    });
    server.setTimeout(options.silentMs ?? silentMs);
    server.on('connection', (socket: Socket) => {
      callers.admit(socket);
    });
    await listen(server, options);
    return new HealthServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Finishes the answers under way; idle connections are closed. */
  close(): Promise<void> {
    return closeInTime(this.#server);
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: HealthOptions,
): Promise<void> {
  const { code, text, contentType = 'text/plain; charset=utf-8' } = await pageOf(request, options);
  if (request.socket.destroyed) return;
  const headers: Record<string, string | number> = {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
  };
  if (code === 405) headers.allow = 'GET, HEAD';
  response.writeHead(code, headers).end(request.method === 'HEAD' ? '' : text);
}

async function pageOf(request: IncomingMessage, { live, ready, metrics }: HealthOptions): Promise<Page> {
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  const verbose = url?.searchParams.has('verbose') ?? false;
  const pages = new Map<string | undefined, () => Page | Promise<Page>>([
    ['/livez', () => report(live, verbose)],
    ['/readyz', () => report(ready, verbose)],
    ['/metrics', async () => ({ code: 200, ...(await metrics()) })],
  ]);
  const page = pages.get(url?.pathname);
  if (!page) return { code: 404, text: 'not found: try /livez, /readyz or /metrics\n' };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { code: 405, text: 'only GET and HEAD\n' };
  try {
    return await page();
  } catch (error) {
    return { code: 500, text: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}

/** What is wrong is always said; what is right only when asked for. */
function report(checks: Readonly<Record<string, Check>>, verbose: boolean): Page {
  const results = Object.entries(checks).map(([name, check]) => ({ name, reason: check() }));
  const failed = results.some(({ reason }) => reason !== undefined);
  if (!failed && !verbose) return { code: 200, text: 'ok\n' };
  const lines = results
    .filter(({ reason }) => verbose || reason !== undefined)
    .map(({ name, reason }) => (reason === undefined ? `[+] ${name}: ok` : `[-] ${name}: ${reason}`));
  return { code: failed ? 503 : 200, text: lines.map((line) => `${line}\n`).join('') };
}
