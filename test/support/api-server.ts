import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import type { KeyPair } from '../../src/ops/certificate.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** Says what goes back for one request; the response stays open unless it is ended. */
export type Answer = (response: ServerResponse, asked: Asked) => void | Promise<void>;

/**
 * An API server for the faults that a healthy one cannot be made to show. Each request takes the next answer
 * of the script; past its end, {@link FakeApiServer.otherwise} speaks (at first it says nothing at all).
 */
export class FakeApiServer {
  readonly asked: Asked[] = [];
  otherwise: Answer = () => {};
  readonly #script: Answer[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #waiting: { count: number; resolve: () => void }[] = [];

  readonly #scheme: 'http' | 'https';

  private constructor(pair?: KeyPair) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#scheme = pair === undefined ? 'http' : 'https';
    this.#server =
      pair === undefined
        ? createServer(serve)
        : createTlsServer({ cert: pair.certificate, key: pair.key }, serve);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(socketPath?: string): Promise<FakeApiServer> {
    const server = new FakeApiServer();
    await new Promise<void>((resolve) => {
      if (socketPath === undefined) server.#server.listen(0, '127.0.0.1', resolve);
      else server.#server.listen(socketPath, resolve);
    });
    return server;
  }

  /** By TLS, as `localhost`. */
  static async startTls(pair: KeyPair): Promise<FakeApiServer> {
    const server = new FakeApiServer(pair);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    const host = this.#scheme === 'http' ? '127.0.0.1' : 'localhost';
    return `${this.#scheme}://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  answers(...answers: Answer[]): this {
    this.#script.push(...answers);
    return this;
  }

  /** Resolves when this many requests have come in all. */
  received(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://server');
    const asked: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.asked.push(asked);
    await (this.#script.shift() ?? this.otherwise)(response, asked);
    const due = this.#waiting.filter(({ count }) => count <= this.asked.length);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.asked.length);
    for (const { resolve } of due) resolve();
  }
}

/** No answer, not even headers. */
export const hang: Answer = () => {};

export const json =
  (body: unknown, code = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response
      .writeHead(code, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));

export const status = (code: number, reason: string, message = '', headers: Record<string, string> = {}) =>
  json({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, code, headers);

/** A watch that sends these pieces, each as a chunk of its own, and then stays open. */
export const stream =
  (...pieces: (string | Uint8Array | object)[]): Answer =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const piece of pieces) await send(response, piece);
  };

/** The same, closed by the server as it does when timeoutSeconds are over. */
export const streamThenEnd =
  (...pieces: (string | Uint8Array | object)[]): Answer =>
  async (response, asked) => {
    await stream(...pieces)(response, asked);
    response.end();
  };

/** The same, but the connection breaks. */
export const streamThenReset =
  (...pieces: (string | Uint8Array | object)[]): Answer =>
  async (response, asked) => {
    await stream(...pieces)(response, asked);
    response.destroy();
  };

function send(response: ServerResponse, piece: string | Uint8Array | object): Promise<void> {
  const raw = typeof piece === 'string' || piece instanceof Uint8Array;
  const data = raw ? piece : JSON.stringify(piece) + '\n';
  // The next turn of the loop lets the piece leave as a packet of its own.
  return new Promise((resolve) => response.write(data, () => setImmediate(resolve)));
}
