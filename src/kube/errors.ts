/** What the API server puts in the body of a refusal, and in an ERROR event of a watch. */
export interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

export interface ApiErrorFacts {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The server's reason (`NotFound`, `Expired`…), or the network's code (`ECONNREFUSED`), `Timeout`, `Aborted`. */
  readonly reason: string;
  /** `GET /api/v1/pods`, without the query. */
  readonly path: string;
  readonly detail?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** Every way a request to the API server can fail, in one shape. The message is one line. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  readonly path: string;
  readonly retryAfterSeconds: number | undefined;

  constructor({ status, reason, path, detail, retryAfterSeconds, cause }: ApiErrorFacts) {
    const outcome = status === 0 ? `no answer (${reason})` : `${status} ${reason}`;
    super(`${path}: ${outcome}${detail ? `: ${oneLine(detail)}` : ''}`, cause === undefined ? {} : { cause });
    this.status = status;
    this.reason = reason;
    this.path = path;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A stream that is not what a watch must be: broken JSON, an unknown event type, an object without metadata. */
export class UnreadableStream extends Error {
  override readonly name = 'UnreadableStream';
}

export function fromStatus(status: Status, path: string, retryAfterSeconds?: number): ApiError {
  const { code, reason, message, details } = status as Readonly<Record<keyof Status, unknown>>;
  const { retryAfterSeconds: told } = (details ?? {}) as { retryAfterSeconds?: unknown };
  return new ApiError({
    status: typeof code === 'number' ? code : 500,
    reason: typeof reason === 'string' && reason !== '' ? reason : 'Unknown',
    path,
    detail: typeof message === 'string' ? message : undefined,
    retryAfterSeconds: retryAfterSeconds ?? (typeof told === 'number' ? told : undefined),
  });
}

/** Of a request that got no answer, or whose answer broke off. */
export function fromNetwork(cause: unknown, path: string): ApiError {
  if (cause instanceof ApiError) return cause;
  const { code, name, message } = cause as { code?: string; name?: string; message?: string };
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new ApiError({ status: 0, reason: 'Timeout', path, cause });
  }
  if (name === 'AbortError') return new ApiError({ status: 0, reason: 'Aborted', path, cause });
  return new ApiError({ status: 0, reason: code ?? name ?? 'Unknown', path, detail: message, cause });
}

/** `Retry-After` in seconds; the API server sends no dates. */
export function parseRetryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

const hasStatus = (error: unknown, ...statuses: number[]) =>
  error instanceof ApiError && statuses.includes(error.status);

export const isNotFound = (error: unknown) => hasStatus(error, 404);
export const isForbidden = (error: unknown) => hasStatus(error, 403);
export const isUnauthorized = (error: unknown) => hasStatus(error, 401);
export const isTooManyRequests = (error: unknown) => hasStatus(error, 429);
/** The request itself was refused; to send it again is of no use. */
export const isInvalid = (error: unknown) => hasStatus(error, 400, 422);
/** Someone else wrote first. A create of what exists is not this: see {@link isAlreadyExists}. */
export const isConflict = (error: unknown) => hasStatus(error, 409) && !isAlreadyExists(error);
export const isAlreadyExists = (error: unknown) =>
  hasStatus(error, 409) && (error as ApiError).reason === 'AlreadyExists';
/** The position in the history, or the page token, is older than what the server remembers: list again. */
export const isGone = (error: unknown) =>
  hasStatus(error, 410) || (error instanceof ApiError && ['Expired', 'Gone'].includes(error.reason));
/** The position lies beyond what the server knows: it was restored from a backup, or it is another server. A plain watch from there is silent instead. */
export const isFromTheFuture = (error: unknown) =>
  hasStatus(error, 504) && (error as ApiError).message.includes('Too large resource version');
/** There was no answer at all: refused, reset, timed out, name not found, certificate not accepted. */
export const isNetwork = (error: unknown) => hasStatus(error, 0);
/** No fault of the request: the same one may succeed later. */
export const isUnavailable = (error: unknown) =>
  isNetwork(error) || isTooManyRequests(error) || (error instanceof ApiError && error.status >= 500);

/** The server answered that it does not take the request: it, or somebody whom it asks. That another was first, or that there are many, is none. */
export const isRefusal = (error: unknown) =>
  error instanceof ApiError && error.status >= 400 && !hasStatus(error, 409, 429);
/** A server, or what stands before it, takes nothing at the moment, whatever it were. */
export const isBusy = (error: unknown) => hasStatus(error, 429, 502, 503);
/** A server that is starting, ending or has too much to do answers so for a while, and what stands before it. */
export const isOverloaded = (error: unknown) => hasStatus(error, 502, 503, 504);

/** What the server asked us to wait, in milliseconds; 0 when it asked nothing. Five minutes at most: some
 * load balancers send hours while they have no backend. */
export function retryAfterMs(error: unknown): number {
  return error instanceof ApiError ? Math.min(error.retryAfterSeconds ?? 0, 300) * 1000 : 0;
}

/** Server messages may quote an object over many lines; a log line and a condition hold one. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 399)}…` : line;
}
