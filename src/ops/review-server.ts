import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

import type { KeyPair } from './certificate.ts';
import { isTooHeavy } from './json-weight.ts';
import { closeInTime, listen } from './listening.ts';

/** Not by `import`: see health.ts. */
const { createServer } = process.getBuiltinModule('node:https');

export interface ReviewServerOptions {
  readonly host: string;
  readonly port: number;
  /** What to say to a body; whatever it throws is an answer of 500, which the API server takes for none. */
  readonly answer: (path: string, body: unknown) => Promise<unknown>;
  /** Of a request that was not read, and why. */
  readonly onRefused: (why: string) => void;
}

/** An object is stored with 1.5 MiB at most, and is asked about with little beside it. */
const mostBytes = 4 * 2 ** 20;
/** Of all bodies that are not answered yet: memory is not for whoever sends most. */
const mostBytesAtOnce = 32 * 2 ** 20;
const mostConnections = 500;

/** Serves questions of an API server over TLS. Until it is given a certificate, nobody is answered. */
export class ReviewServer {
  readonly #server: Server;
  readonly #options: ReviewServerOptions;
  /** What was answered last on a connection, or is being answered. */
  readonly #answers = new WeakMap<Socket, ServerResponse>();
  #bytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #isClosing = false;

  private constructor(options: ReviewServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        minVersion: 'TLSv1.2',
        requestTimeout: 5_000,
        headersTimeout: 5_000,
        handshakeTimeout: 5_000,
        // Longer than a client of Go keeps a connection that is idle (90 s): it must never write into one that ends.
        keepAliveTimeout: 120_000,
      },
      (request, response) => {
        if (this.#isAnswered(request.socket, response)) void this.#respond(request, response);
      },
    );
    this.#server.maxConnections = mostConnections;
  }

  /** Rejects when the address cannot be had. */
  static async start(options: ReviewServerOptions): Promise<ReviewServer> {
    const server = new ReviewServer(options);
    await listen(server.#server, options);
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections are served by it from now on. */
  serveBy({ certificate, key }: KeyPair): void {
    this.#server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  }

  /** Finishes the answers under way; idle connections are closed, and no other question is answered on one that is not. */
  close(): Promise<void> {
    this.#isClosing = true;
    return closeInTime(this.#server);
  }

  /**
   * Node hands over all that a client sent, before it has any answer. No API server asks again before it has read: whoever does is let go.
   * Not whether the answer has left: of TLS node tells that late, when its reader may have asked again.
   */
  #isAnswered(socket: Socket, response: ServerResponse): boolean {
    if (socket.destroyed) return false;
    if (this.#answers.get(socket)?.writableEnded === false) {
      this.#options.onRefused('it was asked before the last answer was given');
      socket.destroy();
      return false;
    }
    this.#answers.set(socket, response);
    return true;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const taken = { bytes: 0 };
    try {
      const body = await this.#read(request, taken);
      const answer = await this.#options.answer(request.url ?? '/', body);
      // Whoever answers has stopped to look at the cluster.
      if (this.#isClosing) response.setHeader('connection', 'close');
      if (answer === undefined) return this.#refuse(response, 400, 'no question that is answered here');
      send(response, 200, answer);
    } catch (error) {
      const code = error instanceof TooMuch ? 413 : 400;
      this.#refuse(response, code, (error as Error).message);
    } finally {
      this.#bytes -= taken.bytes;
    }
  }

  #refuse(response: ServerResponse, code: number, why: string): void {
    this.#options.onRefused(why);
    // What is still on its way is not read.
    response.setHeader('connection', 'close');
    send(response, code, { message: why });
  }

  async #read(request: IncomingMessage, taken: { bytes: number }): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      taken.bytes += chunk.length;
      this.#bytes += chunk.length;
      if (taken.bytes > mostBytes || this.#bytes > mostBytesAtOnce)
        throw new TooMuch('the body is too long, or too many are read at the moment');
      chunks.push(chunk);
    }
    await this.#nextTurn();
    const body = Buffer.concat(chunks);
    if (isTooHeavy(body)) throw new TooMuch('the body has more values than any pod, or is deeper than any');
    return JSON.parse(body.toString('utf8')) as unknown;
  }

  /** One body is parsed in each turn of the event loop: many that come together keep nobody waiting who wants something else. */
  #nextTurn(): Promise<void> {
    this.#turn = this.#turn.then(() => setImmediate());
    return this.#turn;
  }
}

class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

function send(response: ServerResponse, code: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
