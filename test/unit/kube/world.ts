import type { Log } from '../../../src/kube/log.ts';

let serial = 0;

/** An object as the API server would send it. */
export function pod(name: string, resourceVersion: number, more: { uid?: string; note?: string } = {}) {
  const { uid = `uid-${name}`, note = '' } = more;
  return {
    kind: 'Pod',
    metadata: { namespace: 'db', name, uid, resourceVersion: String(resourceVersion), annotations: { note } },
    status: { heartbeat: serial++ },
  };
}

export const added = (object: object) => ({ type: 'ADDED', object });
export const modified = (object: object) => ({ type: 'MODIFIED', object });
export const deleted = (object: object) => ({ type: 'DELETED', object });
export const failed = (code: number, reason: string) => ({
  type: 'ERROR',
  object: { kind: 'Status', code, reason, message: 'from the stream' },
});
export const bookmark = (version: number, annotations: Record<string, string> = {}) => ({
  type: 'BOOKMARK',
  object: { kind: 'Pod', metadata: { resourceVersion: String(version), annotations } },
});
export const listEnd = (version: number) => bookmark(version, { 'k8s.io/initial-events-end': 'true' });

export interface Line {
  readonly level: 'info' | 'warn' | 'debug' | 'error';
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A log that can be read back. */
export function notebook(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const write =
    (level: Line['level']) =>
    (facts: unknown, message = '') =>
      void lines.push({ level, message, facts: facts as Line['facts'] });
  const log = { info: write('info'), warn: write('warn'), debug: write('debug'), error: write('error') };
  return { log: log, lines };
}
