import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { fromNetwork } from './errors.ts';
import { PageSplitter, type PageMetadata } from './page.ts';
import { refusal } from './refusal.ts';
import { pathOf, type KubeManifest, type KubeObject, type Resource, type Target } from './resource.ts';
import { ServerTime } from './server-time.ts';
import { parseJson, wholeOrApiError } from './stream.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete';
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One finished request, for the metrics; `code` is the HTTP status, 0 when there was no answer. */
export interface Exchange {
  readonly verb: Verb;
  readonly resource: string;
  readonly code: number;
}

export interface ClientOptions {
  /** Of a whole request, in milliseconds, headers after three quarters of it; of a watch only its headers. Default 30,000. */
  readonly timeoutMs?: number;
  /** As the server's audit log shows it: `keepalive-agent/0.1.0`. */
  readonly userAgent?: string;
  readonly onExchange?: (exchange: Exchange) => void;
  readonly clock?: Clock;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** What is left of somebody's time may be a fraction. */
  readonly timeoutMs?: number;
}

export interface ListQuery {
  readonly limit?: number;
  /** The token of the page before; a server refuses it together with a resourceVersion. */
  readonly continue?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface Page {
  readonly metadata: PageMetadata;
  readonly items: readonly KubeObject[];
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Take over fields that another manager owns. Default true: nobody else has a say in what we apply. */
  readonly force?: boolean;
}

interface Call extends CallOptions {
  readonly verb: Verb;
  readonly method: Dispatcher.HttpMethod;
  readonly target: Target;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  /** How long its body may be silent; absent or 0: for ever. */
  readonly silenceMs?: number;
}

/** A list that takes longer: etcd has forgotten the version that the token for the next page carries. */
const longestPageMs = 300_000;

/** The few calls we make, on any kind, over one pool. Every failure is an {@link ApiError}. */
export class ApiClient {
  readonly #connection: Connection;
  readonly #options: ClientOptions;
  /** As the answers tell it. */
  readonly time: ServerTime;

  constructor(connection: Connection, options: ClientOptions = {}) {
    this.#connection = connection;
    this.#options = options;
    this.time = new ServerTime(options.clock ?? systemClock);
  }

  get<T = KubeObject>(target: Target & { name: string }, options: CallOptions = {}): Promise<T> {
    return this.#json<T>({ ...options, verb: 'get', method: 'GET', target });
  }

  /** One page, read whole: for objects that are small, or where memory is not. */
  listPage(target: Target, query: ListQuery, options: CallOptions = {}): Promise<Page> {
    return this.#json<Page>({ ...options, verb: 'list', method: 'GET', target, query: { ...query } });
  }

  /**
   * One page, whose items are told one by one as they come, so that no more than one is held. It may take longer than
   * another request, but not be silent for so long.
   */
  async eachOfPage(
    target: Target,
    query: ListQuery,
    each: (item: unknown) => void,
    options: CallOptions = {},
  ): Promise<PageMetadata> {
    const call: Call = { ...options, verb: 'list', method: 'GET', target, query: { ...query } };
    const splitter = new PageSplitter();
    const signal = within(longestPageMs, options.signal);
    const { body } = await this.#send({ ...call, silenceMs: this.#timeoutMs(call) }, signal);
    for await (const chunk of wholeOrApiError(body, describe(call))) {
      for (const item of splitter.push(chunk)) each(parseJson(item, 'an item of a list is not JSON'));
    }
    return splitter.end();
  }

  create<T = KubeObject>(target: Target, body: KubeManifest, options: CallOptions = {}): Promise<T> {
    return this.#json<T>({ ...options, verb: 'create', method: 'POST', target, body });
  }

  /** What an object would be if it were created now; nothing is stored. */
  dryRun<T = KubeObject>(target: Target, body: KubeManifest, options: CallOptions = {}): Promise<T> {
    const query = { dryRun: 'All' };
    return this.#json<T>({ ...options, verb: 'create', method: 'POST', target, query, body });
  }

  /** Replaces the object; with a resourceVersion in the body, only if nobody wrote since. */
  update<T = KubeObject>(
    target: Target & { name: string },
    body: KubeManifest,
    options: CallOptions = {},
  ): Promise<T> {
    return this.#json<T>({ ...options, verb: 'update', method: 'PUT', target, body });
  }

  /** A JSON merge patch. */
  patch<T = KubeObject>(
    target: Target & { name: string },
    body: object,
    options: CallOptions = {},
  ): Promise<T> {
    const contentType = 'application/merge-patch+json';
    return this.#json<T>({ ...options, verb: 'patch', method: 'PATCH', target, body, contentType });
  }

  /** Server-side apply: creates the object, or takes care of exactly the fields in `body`. */
  apply<T = KubeObject>(
    resource: Resource,
    body: KubeManifest,
    { fieldManager, force = true, ...options }: ApplyOptions,
  ): Promise<T> {
    const { name, namespace } = body.metadata;
    return this.#json<T>({
      ...options,
      verb: 'apply',
      method: 'PATCH',
      target: { ...resource, namespace, name },
      query: { fieldManager, force },
      body,
      contentType: 'application/apply-patch+yaml',
    });
  }

  /**
   * The whole status at once, whoever wrote what is there; of that very object, and not of one that took its name,
   * which is Invalid. An apply keeps what others wrote, and of a status the API server does not look at its uid.
   */
  replaceStatus<T = KubeObject>(
    target: Target & { name: string; uid: string },
    status: unknown,
    { fieldManager, ...options }: Omit<ApplyOptions, 'force'>,
  ): Promise<T> {
    const { uid, ...named } = target;
    return this.#json<T>({
      ...options,
      ...{ verb: 'patch', method: 'PATCH', target: { ...named, subresource: 'status' } },
      query: { fieldManager },
      body: [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'add', path: '/status', value: status },
      ],
      contentType: 'application/json-patch+json',
    });
  }

  /** The names of the kinds that the API server serves of a group, as in its paths. */
  async kindsOf(group: Pick<Resource, 'group' | 'version'>, options: CallOptions = {}): Promise<string[]> {
    const target = { ...group, plural: '' };
    const { resources } = await this.#json<{ resources: readonly { readonly name: string }[] }>({
      ...options,
      ...{ verb: 'get', method: 'GET', target },
    });
    return resources.map(({ name }) => name);
  }

  /** Which version the API server is, and its clock: to the second, and undefined where something between took it away. */
  async serverVersion(
    options: CallOptions = {},
  ): Promise<{ gitVersion: string; dateMs: number | undefined }> {
    const target = { group: '', version: '', plural: 'version' };
    const call: Call = { ...options, verb: 'get', method: 'GET', target };
    const { body, headers } = await this.#send(call, within(this.#timeoutMs(call), call.signal));
    const { gitVersion = '' } = (await body.json()) as { gitVersion?: string };
    const dateMs = dateOf(headers);
    return { gitVersion, dateMs: Number.isNaN(dateMs) ? undefined : dateMs };
  }

  /** With `uid`, only that very object and not one that took its name since. */
  async delete(
    target: Target & { name: string },
    options: CallOptions & { uid?: string } = {},
  ): Promise<void> {
    const { uid, ...rest } = options;
    const body = uid === undefined ? {} : { preconditions: { uid } };
    await this.#json<unknown>({ ...rest, verb: 'delete', method: 'DELETE', target, body });
  }

  /** Opens a watch and hands back its body: JSON objects, one a line, until the server or `signal` ends it. */
  async watch(target: Target, query: Query, options: CallOptions): Promise<AsyncIterable<Uint8Array>> {
    const call: Call = { ...options, verb: 'watch', method: 'GET', target, query: { ...query, watch: true } };
    const { body } = await this.#send(call, options.signal);
    return body;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** In whole milliseconds, which is all that AbortSignal.timeout takes, and never none: undici waits for ever then. */
  #timeoutMs({ timeoutMs = this.#options.timeoutMs ?? 30_000 }: Call): number {
    return Math.max(1, Math.ceil(timeoutMs));
  }

  async #json<T>(call: Call): Promise<T> {
    const { body } = await this.#send(call, within(this.#timeoutMs(call), call.signal));
    try {
      return (await body.json()) as T;
    } catch (error) {
      throw fromNetwork(error, describe(call));
    }
  }

  /** Resolves with the headers of a success; the caller reads the body. */
  async #send(call: Call, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    let code = 0;
    try {
      const response = await this.#request(call, signal);
      code = response.statusCode;
      if (code >= 300) throw await refusal(response, describe(call), this.#timeoutMs(call));
      this.time.heard(dateOf(response.headers));
      return response;
    } catch (error) {
      throw fromNetwork(error, describe(call));
    } finally {
      this.#options.onExchange?.({ verb: call.verb, resource: call.target.plural, code });
    }
  }

  async #request(call: Call, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    const { method, target, query, body, contentType = 'application/json', silenceMs = 0 } = call;
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': this.#options.userAgent ?? 'keepalive-operator',
      ...(await this.#connection.headers()),
    };
    if (body !== undefined) headers['content-type'] = contentType;
    signal?.throwIfAborted();
    // Behind Rancher and other gateways a cluster is a path of a server that serves several.
    const { origin, pathname } = new URL(this.#connection.server);
    return this.#connection.dispatcher().request({
      origin,
      path: pathname.replace(/\/$/, '') + pathOf(target) + queryString(query),
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      // Ahead of the signal: only undici's own timeout makes it ask whether the shared connection is dead.
      headersTimeout: Math.ceil(this.#timeoutMs(call) * 0.75),
      // A quiet watch is a healthy watch: its end is the business of timeoutSeconds and the caller's signal.
      bodyTimeout: silenceMs,
    });
  }
}

/** NaN where there is none. */
function dateOf({ date }: Dispatcher.ResponseData['headers']): number {
  return Date.parse(String(date));
}

function within(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function queryString(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

function describe({ method, target }: Call): string {
  return `${method} ${pathOf(target)}`;
}
