import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

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
  const { XDG_CACHE_HOME: told = '' } = process.env;
  // What is empty or begins elsewhere than at the root counts as not set (XDG Base Directory Specification).
  return join(isAbsolute(told) ? told : join(homedir(), '.cache'), 'keepalive-operator');
}

/** Throws where a folder that the nodes need would be hidden by one that they have of their own. */
export function requireVisible(folder: string): void {
  const hidden = ['/run', '/var/run', '/var/lib', '/var/log'].find((own) =>
    `${folder}/`.startsWith(`${own}/`),
  );
  if (hidden === undefined) return;
  throw new Error(
    `${folder} is below ${hidden}, which every node has of its own: name another place by KEEPALIVE_LAB (state) or XDG_CACHE_HOME (programs)`,
  );
}
