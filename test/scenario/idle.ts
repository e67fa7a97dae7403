/** The client and server of most scenarios: `idle`, whose source is test/cluster/images/idle.c. */
import type { Addresses } from '../cluster/crossing.ts';
import type { Cell } from './cell.ts';

export const port = 7000;

export function idleServer(on = port): string[] {
  return ['idle', 'serve', `${on}`];
}

/** For connections to `to`, silent for so many seconds; `more` are further options of its own. */
export function idleClient(
  to: Addresses,
  silentSeconds: number,
  { on = port, more = [] }: { on?: number; more?: readonly string[] } = {},
): (cell: Cell) => string[] {
  return ({ family, asks }) => [
    ...['idle', 'connect', family === 'IPv4' ? to.v4 : to.v6, `${on}`],
    ...['--silent', `${silentSeconds}`, '--chat', ...more],
    ...(asks ? ['--keepalive'] : []),
  ];
}
