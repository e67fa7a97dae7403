import { join } from 'node:path';

import type { Addresses } from '../cluster/crossing.ts';
import { clientsImage } from '../cluster/image.ts';
import { ferretDb } from '../cluster/program.ts';
import type { Cell } from './cell.ts';
import { matrix } from './cell.ts';
import { replicaSetAdvice } from './replica-set.ts';
import type { Scenario, Way } from './scenario.ts';

const program = ferretDb();
const image = clientsImage(join(import.meta.dirname, 'clients'));
const forgetsAfterSeconds = 4;
// A server written in Go speaks by itself after 15 s, which is later than all of it.
const silentSeconds = 3 * forgetsAfterSeconds;
const mongoPort = 27017;

/** The driver asks for keepalive on every connection. */
const asking = matrix.filter(({ asks }) => asks);
const few = asking.filter(({ family, network }) => family === 'IPv4' && network === 'pod');

export const mongodb: Scenario = {
  name: 'mongodb',
  story:
    'Clients with the official driver reach a MongoDB server (FerretDB) by the address that a load balancer lends it, ' +
    'and wait in silence. The load balancer forgets an idle connection: what the server says at last never arrives, ' +
    'and who speaks on the connection again meets an RST.',
  advice: replicaSetAdvice,
  needs: { programs: [program], images: [image] },
  build: async (stage) => {
    await stage.cluster.load(image.archive);
    const balancer = await stage.nat({
      ...{ name: 'balancer', kind: 'dnat', then: 'reset', outside: 'mongodb' },
      forgetsAfterSeconds,
    });
    const server = [join(program.place, 'ferretdb'), `[::]:${mongoPort}`, stage.folder('mongodb')];
    await stage.serve(balancer.outside, server, mongoPort);
    return {
      path: [{ name: 'balancer', type: 'LoadBalancer', idleTimeoutSeconds: forgetsAfterSeconds }],
      image: image.name,
      ways: waysTo(balancer.address),
    };
  },
};

function waysTo(address: Addresses): Way[] {
  // As mongod and the drivers of other languages do: SO_KEEPALIVE, and the kernel's values.
  const kernels = ['--delay', '0'];
  return [
    {
      name: 'a replica that follows a log and waits for its next entry',
      client: client(address, 'tail', kernels),
      without: ['MongoNetworkTimeoutError'],
      with: 'alive',
      cells: asking,
      connections: 1,
    },
    {
      name: 'a command that the server works on for longer than the load balancer remembers',
      client: client(address, 'work', kernels),
      without: ['MongoNetworkTimeoutError'],
      with: 'alive',
      cells: few,
      connections: 1,
    },
    {
      name: 'a pooled connection that nobody needs for a while',
      client: client(address, 'pool', kernels),
      without: ['ECONNRESET (104)'],
      with: 'alive',
      cells: few,
      connections: 1,
    },
    {
      name: `the same by the driver's own values (300 s), which hide those of the kernel until the socket itself is mended`,
      client: client(address, 'pool', []),
      without: ['ECONNRESET (104)'],
      with: 'alive',
      cells: few,
      connections: 1,
    },
  ];
}

function client(to: Addresses, wait: string, more: readonly string[]): (cell: Cell) => readonly string[] {
  return ({ family }) => [
    ...['node', '/clients/mongodb.mjs', wait, family === 'IPv4' ? to.v4 : to.v6, `${mongoPort}`],
    ...['--silent', `${silentSeconds}`, ...more],
  ];
}
