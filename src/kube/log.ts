import type pino from 'pino';

/** What this folder needs of a logger. */
export type Log = Pick<pino.Logger, 'info' | 'warn' | 'debug' | 'error'>;
