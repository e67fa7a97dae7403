/**
 * All that the kernel does for connections, from loading to removal, on whichever kernel this runs; where it does nothing, what
 * descriptors do instead. It says what it saw, a line of JSON each: `{"saw": WHAT, "as": VALUE}`.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

import { NetworkSweep } from '../../src/agent/connections/network-sweep.ts';
import { NodeConnections } from '../../src/agent/connections/node-connections.ts';
import { networkNamespaceCookie } from '../../src/kernel/syscall.ts';
import type { LookTarget } from '../../src/agent/connections/socket-look.ts';
import { SocketScan } from '../../src/agent/connections/socket-scan.ts';
import type { SocketReading, SocketTarget } from '../../src/policy/connection.ts';
import type { Place, PodPlace } from '../../src/policy/place.ts';
import { HOST, placeOfPod } from '../../src/policy/place.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { behind } from '../support/builder.ts';
import { unspread, unspreadOfUsual } from '../support/unspread.ts';
import {
  acceptFrom,
  closeAll,
  connectTo,
  fillWithFilter,
  listenAt,
  optionsOf,
  setOptions,
} from './plain-socket.ts';

const [objectFile = '', address = ''] = process.argv.slice(2);
const port = 7000;
const place = placeOfPod('one');
const none = {
  hostPods: new Set<PodPlace>(),
  running: new Set<PodPlace>(),
  pods: new Map(),
  held: new Set<Place>(),
};
const network = { cookie: networkNamespaceCookie() ?? 0n, pid: process.pid };

function say(saw: string, as: unknown): void {
  process.stdout.write(`${JSON.stringify({ saw, as })}\n`);
}

say('kernel', release());
const lockdown = '/sys/kernel/security/lockdown';
say('lockdown', existsSync(lockdown) ? /\[(\w+)\]/.exec(readFileSync(lockdown, 'utf8'))?.[1] : undefined);

const hostPod = placeOfPod('of-the-host');
const connections = await NodeConnections.open({
  ...{ procRoot: '/proc', objectFile },
  networkOf: (at) => (at === hostPod ? undefined : network),
});
say('means', connections.means);
const pins = globSync('/sys/fs/bpf/keepalive/*/*').map((path) => basename(path));
say('programs', Object.fromEntries(['born', 'open', 'known'].map((name) => [name, pins.includes(name)])));
const sweeps = new NetworkSweep('/proc', { begin: () => undefined, touch: () => undefined });
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
  const request = { networks: [{ ...network, owner: '' }], pins: connections.pins ?? '' };
  const swept = [...sweeps.sweep(request)].find((one) => one !== undefined);
  return { as: swept?.as, repaired: swept?.repaired };
};

const listener = listenAt(address, port);
const before = connectTo(address, port);
acceptFrom(listener);
if (connections.means.countedBy !== 'BPF') {
  byDescriptors();
  process.exit();
}
await connections.follow({ targets: [target(undefined)], ...none });
say('a sweep where it is only counted', sweep());
say('counted', await count());
await connections.follow({ targets: [target(behind(90))], ...none });
say('a sweep of what was open', sweep());
say('the one that was open', unspreadOfUsual(optionsOf(before)));
const after = connectTo(address, port);
const accepted = acceptFrom(listener);
say(
  'both ends of a new one',
  [after, accepted].map((fd) => unspreadOfUsual(optionsOf(fd))),
);
const local = connectTo('127.0.0.1', listenAt('127.0.0.1', 7001) && 7001);
say('one of the loopback', optionsOf(local).keepalive);
say('counted then', await count());
setOptions(after, { keepalive: 0 });
say('counted when one was loosened', await count());
say('a sweep of that', sweep());
say('counted after that', await count());
const next = await NodeConnections.open({ procRoot: '/proc', objectFile, networkOf: () => network });
const isGiven = () => {
  const fd = connectTo(address, port);
  const { keepalive } = optionsOf(fd);
  closeAll([fd]);
  return keepalive;
};
await next.follow({ ...none, targets: [], held: new Set([place]) });
say('a new one where the next agent cannot tell what is asked', isGiven());
await next.follow({ ...none, targets: [] });
say('a new one once it can', isGiven());
await connections.follow({ targets: [], ...none });
say('counted when nobody asks', (await connections.count()).readings.length);

/** From then on this process is one of a pod that uses the network of the host. */
const uid = '00000000-0000-4000-8000-000000000001';
const container = join('/sys/fs/cgroup/kubepods/besteffort', `pod${uid}`, 'c'.repeat(64));
mkdirSync(container, { recursive: true });
const host: SocketTarget = { place: HOST, wanted: behind(240), timeouts: [240] };
const ofPod: SocketTarget = { place: hostPod, wanted: behind(90), timeouts: [90] };
const spared: SocketTarget = { ...ofPod, wanted: undefined };
const hostPods = new Set([hostPod]);
const pods = new Map([[hostPod, { name: 'db/host', group: uid, containers: [] }]]);
const follow = async (...targets: SocketTarget[]) => {
  const followed = { targets, hostPods, running: hostPods, pods, held: new Set<Place>() };
  return (await connections.follow(followed)).served.map((one) => one.place);
};
const timeNow = () => {
  const has = unspread(optionsOf(connectTo(address, port)), workedOut(behind(240)).values, behind(240));
  const { keepalive, timeSeconds } = unspreadOfUsual(has);
  return keepalive ? timeSeconds : 'none';
};
say('served while its group is not known, but for what is spared', await follow(host, spared));
say('a connection then', timeNow());
writeFileSync(join(container, 'cgroup.procs'), '0');
// It is not looked for all the time.
while ((await follow(host, ofPod)).length < 2) await sleep(100);
say('served once it is', await follow(host, ofPod));
say('a connection of the pod', timeNow());
say('of the pod where it is spared', [(await follow(host, spared)).length, timeNow()]);
say('of the pod where only it is asked for', [await follow(ofPod), timeNow()]);
writeFileSync('/sys/fs/cgroup/cgroup.procs', '0');
say('of the host where only the pod is asked for', timeNow());
say('of the host where it is asked for too', [(await follow(host, ofPod)).length, timeNow()]);
say(
  'counted apart',
  (await connections.count()).readings.map((one) => [
    one.place,
    Object.values(one.byTimeout)[0]?.established,
  ]),
);

/** Each end of these is a connection; together they are more than one read of the kernel's tells. */
const pairs = (count: number, at: number) => {
  const server = listenAt(address, at);
  return Array.from({ length: count }, () => [connectTo(address, at), acceptFrom(server)]).flat();
};
const ofHost = (readings: readonly SocketReading[]) =>
  readings.find((one) => one.place === HOST)?.byTimeout[240]?.established ?? NaN;
const few = ofHost((await connections.count()).readings);
pairs(800, 7002);
writeFileSync(join(container, 'cgroup.procs'), '0');
const leaving = pairs(800, 7003);
writeFileSync('/sys/fs/cgroup/cgroup.procs', '0');
const counting = connections.count();
await setImmediate();
// The newest are told first, and are gone before the others were.
closeAll(leaving);
say('of the host, counted while the pod closes newer ones', ofHost((await counting).readings) - few);
// Newer kernels have more by default.
writeFileSync('/proc/sys/net/core/optmem_max', '20480');
const crowded = listenAt(address, 7004);
fillWithFilter(crowded);
connectTo(address, 7004);
say('one without room for a mark', optionsOf(acceptFrom(crowded)).keepalive);
say(
  'left out then',
  (await connections.count()).readings.map((one) => one.leftOut),
);
await connections.remove();
say('pinned in the end', existsSync('/sys/fs/bpf/keepalive'));
say('a new one in the end', optionsOf(connectTo(address, port)).keepalive);

function byDescriptors(): void {
  const scan = new SocketScan({
    ...{ procRoot: '/proc', diary: { begin: () => undefined, touch: () => undefined } },
    longestLookMs: Infinity,
  });
  const asked: LookTarget = { place: HOST, wanted: behind(90), timeouts: [90], everySocket: true, avoid: [] };
  const request = { targets: [asked], hostPods: none.hostPods, pods: none.pods };
  const readings = [...scan.look(request)].flatMap((looked) => looked?.reading ?? []);
  say(
    'looked at by descriptors',
    readings.map(({ repaired, failures }) => ({ repaired, failures })),
  );
  say('the one that was open', unspreadOfUsual(optionsOf(before)));
  say('pinned in the end', existsSync('/sys/fs/bpf/keepalive'));
}
