import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readIpvsTimeouts } from './ipvs.ts';

/** Something of this host itself that forgets idle TCP connections. */
export interface Tracker {
  readonly type: 'Conntrack' | 'IPVS';
  /** Seconds. */
  readonly idleTimeoutSeconds: number;
  /** Where the number was read. */
  readonly source: string;
}

const conntrack = 'net.netfilter.nf_conntrack_tcp_timeout_established';

/** Of the network namespace that the calling thread is in; without what is not loaded there. Changes nothing. */
export function readTrackers(procRoot: string): Tracker[] {
  const established = readSysctl(procRoot, conntrack);
  const ipvs = readIpvsTimeouts();
  return [
    ...(established === undefined
      ? []
      : [{ type: 'Conntrack' as const, idleTimeoutSeconds: established, source: conntrack }]),
    ...(ipvs === undefined
      ? []
      : [{ type: 'IPVS' as const, idleTimeoutSeconds: ipvs.tcpSeconds, source: 'ipvsadm -l --timeout' }]),
  ];
}

function readSysctl(procRoot: string, name: string): number | undefined {
  try {
    const value = Number(readFileSync(join(procRoot, 'sys', ...name.split('.')), 'latin1'));
    return Number.isInteger(value) && value > 0 ? value : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
