/**
 * All that the kernel does for connections, from loading to removal, on whichever kernel this runs. It says what it saw, a line of
 * JSON each: `{"saw": WHAT, "as": VALUE}`.
 */
import { existsSync } from 'node:fs';

import { NetworkSweep } from '../../src/agent/network-sweep.ts';
import { NodeConnections } from '../../src/agent/node-connections.ts';
import { networkNamespaceCookie } from '../../src/kernel/syscall.ts';
import type { SocketTarget } from '../../src/policy/connection.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { behind } from '../support/builder.ts';
import { acceptFrom, connectTo, listenAt, optionsOf, setOptions } from './plain-socket.ts';

const [objectFile = '', address = ''] = process.argv.slice(2);
const port = 7000;
const place = placeOfPod('one');
const network = { cookie: networkNamespaceCookie() ?? 0n, pid: process.pid };

function say(saw: string, as: unknown): void {
  process.stdout.write(`${JSON.stringify({ saw, as })}\n`);
}

const connections = new NodeConnections({ procRoot: '/proc', objectFile, networkOf: () => network });
say('means', connections.means);
const sweeps = new NetworkSweep('/proc', { touch: () => undefined });
const target = (wanted: SocketTarget['wanted']): SocketTarget => ({ place, wanted, timeouts: [90] });
const count = async () => {
  const { readings, loosened } = await connections.count();
  const { protected: guarded = 0, exposed = 0, worst = [] } = readings[0]?.byTimeout[90] ?? {};
  return {
    protected: guarded,
    exposed,
    why: worst.map(({ exposure }) => exposure),
    loosened: loosened.length,
  };
};
const sweep = () => {
  const looked = [...sweeps.sweep(place, network, connections.pins ?? '')].at(-1);
  return { as: looked?.as, repaired: looked?.reading.repaired };
};

const listener = listenAt(address, port);
const before = connectTo(address, port);
acceptFrom(listener);
connections.follow([target(undefined)]);
say('a sweep where it is only counted', sweep());
say('counted', await count());
connections.follow([target(behind(90))]);
say('a sweep of what was open', sweep());
say('the one that was open', optionsOf(before));
const after = connectTo(address, port);
const accepted = acceptFrom(listener);
say('both ends of a new one', [optionsOf(after), optionsOf(accepted)]);
const local = connectTo('127.0.0.1', listenAt('127.0.0.1', 7001) && 7001);
say('one of the loopback', optionsOf(local).keepalive);
say('counted then', await count());
setOptions(after, { keepalive: 0 });
say('counted when one was loosened', await count());
say('a sweep of that', sweep());
say('counted after that', await count());
connections.follow([]);
say('counted when nobody asks', (await connections.count()).readings.length);
connections.remove();
say('pinned in the end', existsSync('/sys/fs/bpf/keepalive'));
say('a new one in the end', optionsOf(connectTo(address, port)).keepalive);
