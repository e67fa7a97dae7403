import { mostDescriptors } from '../../src/agent/connections/socket-look.ts';
import type { SocketTarget } from '../../src/policy/connection.ts';
import type { Place } from '../../src/policy/place.ts';
import { placeOfPod } from '../../src/policy/place.ts';
import { toolsFolder } from '../cluster/image.ts';
import { prepare } from '../cluster/prepare.ts';
import { compiled } from '../kernel/compiled.ts';
import { Machine } from '../kernel/machine.ts';
import type { Scanned } from '../kernel/scanner.ts';
import { Scanner } from '../kernel/scanning.ts';
import { behind } from '../support/builder.ts';
import type { Bench, Row } from './result.ts';
import { hold, sandboxesIn } from './held-connections.ts';
import { requireSockets } from './sockets.ts';

const timeoutSeconds = 90;
const pods = 250;
/** Each has both its ends in the pod: 300,000 sockets. */
const connections = 600;
const socketCount = pods * connections * 2;
/** Of one socket, as many as a process may have here in each of 26 processes. */
const duplicates = { processes: 26, each: 19_500 };

/** What a node full of connections, and a program full of descriptors, cost an agent; beside a node of few. */
export const crowds: Bench = async (say) => {
  await prepare({ kubernetes: undefined });
  return [
    {
      bench: 'crowds',
      setting: `looked at for the first time, each given keepalive, then counted again; ${pods} pods but for the last two rows, which are one pod`,
      rows: [
        ...(await ofConnections(20, say)),
        ...(await ofConnections(connections, say)),
        ...(await ofDuplicates(say)),
      ],
    },
  ];
};

async function ofConnections(each: number, say: (text: string) => void): Promise<Row[]> {
  const sockets = pods * each * 2;
  say(`${sockets} sockets of ${socketCount}`);
  const machine = await Machine.start();
  try {
    const crowd = await machine.crowd(pods);
    await hold(machine.host, sandboxesIn(machine, crowd), { connections: each });
    const scanner = new Scanner(machine);
    const targets = crowd.map(({ uid }) => targetOf(placeOfPod(uid)));
    const first = await scanner.look(targets);
    requireSockets(
      first.readings.reduce((sum, { repaired }) => sum + repaired, 0),
      sockets + pods,
    );
    const again = await scanner.look(targets);
    return [row(`${sockets} sockets, first look`, first), row(`${sockets} sockets, counted`, again)];
  } finally {
    await machine.stop();
  }
}

async function ofDuplicates(say: (text: string) => void): Promise<Row[]> {
  const count = duplicates.processes * duplicates.each;
  say(`${count} descriptors of one socket`);
  const machine = await Machine.start();
  try {
    const [server, client] = [await machine.pod(), await machine.pod()];
    await machine.link(server, client);
    await machine.program(server, [`${toolsFolder()}/idle`, 'hold', '10.7.0.1', '7000', '1']);
    const program = await compiled('peculiar', machine.folder);
    const { each, processes } = duplicates;
    await machine.program(client, [program, 'crowd', '10.7.0.1', '7000', '1', `${each}`, `${processes}`]);
    const scanner = new Scanner(machine);
    const targets = [targetOf(client.place)];
    const first = await scanner.look(targets);
    const left = processes - Math.floor(mostDescriptors / each);
    requireSockets(first.readings[0]?.leftOut.TooMany ?? 0, left);
    const again = await scanner.look(targets);
    return [
      row(`${count} descriptors of one, first look`, first),
      row(`${count} descriptors, counted`, again),
    ];
  } finally {
    await machine.stop();
  }
}

function targetOf(place: Place): SocketTarget & { everySocket: boolean } {
  const wanted = behind(timeoutSeconds);
  return { place, wanted, timeouts: [timeoutSeconds], everySocket: true };
}

function row(what: string, { cpuMs, longestStepMs, residentMiB }: Scanned): Row {
  return { what, figures: { 'CPU ms': cpuMs, 'longest step ms': longestStepMs, 'RSS MiB': residentMiB } };
}
