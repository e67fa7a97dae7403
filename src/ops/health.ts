import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { AnswerTurns } from './answer-turns.ts';
import { Callers, letGo } from './callers.ts';
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
  /** Bytes are shared by all who are answered by them: of a text each answer would be a copy. */
  readonly text: string | Buffer;
  readonly contentType?: string;
}

type MetricsPage = Required<Omit<Page, 'code'>>;

interface Served extends Pick<HealthOptions, 'live' | 'ready'> {
  readonly metrics: () => Promise<MetricsPage>;
  readonly turns: AnswerTurns;
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
    const metrics = sparing(async (): Promise<MetricsPage> => {
      const { contentType, text } = await options.metrics();
      return { contentType, text: Buffer.from(text) };
    });
    const served = { ...options, metrics, turns: new AnswerTurns() };
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      if (callers.isFirstOf(request.socket)) void respond(request, response, served);
    };
    const limits = { headersTimeout: 5_000, requestTimeout: 10_000, requireHostHeader: false };
    const server = createServer(limits, onRequest);
    // What Node would answer by itself, or end in its own way, whatever is still to be read.
    server.on('checkContinue', onRequest).on('checkExpectation', onRequest);
    server.on('connect', ({ socket }: IncomingMessage) => {
      letGo(socket);
    });
    server.on('clientError', (_error, socket) => {
      callers.refuse(socket as Socket);
    });
    server.setTimeout(options.silentMs ?? silentMs, letGo);
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

async function respond(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { code, text, contentType = 'text/plain; charset=utf-8' } = await pageOf(request, served);
  if (request.socket.destroyed) return;
  const headers: Record<string, string | number> = {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    // So that whoever has read it all says so, by ending it too.
    connection: 'close',
  };
  if (code === 405) headers.allow = 'GET, HEAD';
  response.writeHead(code, headers).end(request.method === 'HEAD' ? '' : text);
  served.turns.given(request.socket);
}

async function pageOf(request: IncomingMessage, { live, ready, metrics, turns }: Served): Promise<Page> {
  const url = URL.parse(request.url ?? '/', 'http://localhost');
  const verbose = url?.searchParams.has('verbose') ?? false;
  const pages = new Map<string | undefined, () => Page | Promise<Page>>([
    ['/livez', () => report(live, verbose)],
    ['/readyz', () => report(ready, verbose)],
    [
      '/metrics',
      async () => {
        await turns.take(request.socket);
        return { code: 200, ...(await metrics()) };
      },
    ],
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
