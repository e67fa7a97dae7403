import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Server } from 'node:net';

import type { Address } from './config.ts';

/** Of IPv6, and of IPv4 too unless it is told otherwise. */
const everyAddress = '::';

/** A kernel that was started without IPv6 has no such sockets. */
function hasNoFamily(error: unknown): boolean {
  return ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Rejects when the address cannot be had. */
export function listen(server: Server, at: Address): Promise<void> {
  return tryToListen(server, at).catch((error: unknown) => {
    if (at.host !== everyAddress || !hasNoFamily(error)) throw error;
    return tryToListen(server, { ...at, host: '0.0.0.0' });
  });
}

function tryToListen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: false }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const closingMs = 5000;

/**
 * Takes no connection any more, and resolves when the last has ended: soon, since a server that closes waits for whoever has sent half a
 * request for as long as he likes, and no time of its own ends that.
 */
export function closeInTime(server: HttpServer | HttpsServer): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), closingMs);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
  });
}
