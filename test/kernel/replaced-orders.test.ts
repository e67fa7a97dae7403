import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

import { kernelDefaults } from '../../src/api/triple.ts';
import { keyAsBytes, orderAsBytes } from '../../src/kernel/connection-layout.ts';
import type { ConnectionProgram } from '../../src/kernel/connection-program.ts';
import { ticksPerSecond } from '../../src/kernel/syscall.ts';
import { workedOut } from '../../src/policy/worked-requirement.ts';
import { behind } from '../support/builder.ts';
import { unspread } from '../support/unspread.ts';
import { compiled } from './compiled.ts';
import { Ground, port, serverAddress } from './connection-ground.ts';
import { acceptFrom, closeAll, connectTo, optionsOf } from './plain-socket.ts';

jest.setTimeout(120_000);
const connections = 4000;
const ends = [
  { network: 'client', requirement: behind(90) },
  { network: 'server', requirement: behind(20) },
] as const;
const untouched = JSON.stringify({ keepalive: false, ...kernelDefaults });

let ground: Ground;
let program: ConnectionProgram;
let orders: string;
beforeAll(async () => {
  ground = await Ground.start();
  program = await ground.open();
  orders = await compiled('orders', ground.machine.folder);
});
afterAll(() => ground.stop());

/** Both networks are told the same again and again: each time, the map holds it elsewhere. */
async function ordering(): Promise<{ end: () => Promise<unknown> }> {
  const hertz = ticksPerSecond();
  const args = ends.flatMap(({ network, requirement }) => {
    const { cookie: key } = ground[network];
    return [keyAsBytes(key), orderAsBytes(workedOut(requirement), { key, hertz, tells: true })];
  });
  const hex = args.map((bytes) => bytes.toString('hex'));
  const child = spawn(orders, [join(program.folder, 'networks'), ...hex], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    end: () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      return ended;
    },
  };
}

test('a connection that is opened while orders are replaced has the values of its own network, and of no other', async () => {
  const listener = ground.serve();
  const { end } = await ordering();
  const seen = { client: new Map<string, number>(), server: new Map<string, number>() };
  for (let at = 0; at < connections; at += 1) {
    const client = ground.client.inside(() => connectTo(serverAddress, port));
    const both = { client, server: acceptFrom(listener) };
    for (const { network, requirement } of ends) {
      const options = JSON.stringify(
        unspread(optionsOf(both[network]), workedOut(requirement).values, requirement),
      );
      seen[network].set(options, (seen[network].get(options) ?? 0) + 1);
    }
    closeAll(Object.values(both));
  }
  expect(await end()).toEqual([0, null]);
  for (const { network, requirement } of ends) {
    const own = JSON.stringify({ keepalive: true, ...workedOut(requirement).values });
    expect(seen[network].get(own)).toBeGreaterThan(connections / 2);
    // Where it was replaced again each time that it was looked at, a connection is left to the next sweep.
    expect([...seen[network].keys()].filter((one) => one !== own && one !== untouched)).toEqual([]);
  }
});
