import { homedir } from 'node:os';
import { join } from 'node:path';

/** The root of this repository. */
export const repository = join(import.meta.dirname, '../..');

/**
 * Where running clusters keep keys, data and logs: one folder each, gone after `down`. Not below /run, /var/lib
 * or /var/log, which every node replaces by folders of its own.
 */
export function stateRoot(): string {
  return process.env.KEEPALIVE_LAB ?? '/var/tmp/keepalive-lab';
}

/** Where programs and images that were built once are found again. */
export function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'keepalive-operator');
}
