/**
 * The agent's two ways to the kernel, values and sockets, without the API server; runs inside a machine of a test. A
 * request a line in, an answer a line out, whenever it is there: `{look}` a line for each place, `{visit}` one for all, `{sweep}` one.
 * SIGTERM ends it as it ends the agent.
 */
import { createInterface } from 'node:readline';

import { KernelLink } from '../../src/agent/kernel-link.ts';
import type { Visit } from '../../src/agent/node-kernel.ts';
import { SocketLink } from '../../src/agent/connections/socket-link.ts';
import type { Looked } from '../../src/agent/connections/socket-scan.ts';
import { createLog } from '../../src/ops/log.ts';
import type { Reading } from '../../src/policy/reading.ts';
import type { LookWire, SweepWire } from './wire.ts';
import { identitiesOf, requestOf, sweepRequestOf } from './wire.ts';

export interface Command {
  readonly look?: LookWire;
  readonly visit?: readonly Visit[];
  readonly sweep?: SweepWire;
}

export interface Said {
  readonly looked?: Looked;
  readonly readings?: readonly Reading[];
  readonly swept?: 'hung' | 'through';
  /** The process that looks at sockets, as this machine numbers it. */
  readonly child?: number | undefined;
  /** How many of them hang and were given up. */
  readonly abandoned?: number;
}

const [ledgerFile = '', patienceMs = '5000'] = process.argv.slice(2);
const log = createLog({ level: 'silent', base: {} });
const kernel = new KernelLink({ procRoot: '/proc', ledgerFile });
const sockets = new SocketLink({ procRoot: '/proc', log, patienceMs: Number(patienceMs) });
const lines = createInterface({ input: process.stdin });

process.once('SIGTERM', () => {
  sockets.close();
  lines.close();
  process.stdin.destroy();
  void kernel.close();
});

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

async function look(wire: LookWire): Promise<void> {
  await sockets.look(requestOf(wire), (looked) => {
    say({ looked, child: sockets.pid, abandoned: sockets.abandoned });
  });
  say({ child: sockets.pid, abandoned: sockets.abandoned });
}

async function sweep(wire: SweepWire): Promise<void> {
  const hang = await sockets.sweep(sweepRequestOf(wire), () => undefined);
  say({ swept: hang === undefined ? 'through' : 'hung', abandoned: sockets.abandoned });
}

async function visit(visits: readonly Visit[]): Promise<void> {
  say({ readings: (await kernel.visit(visits, identitiesOf(visits))).readings });
}

/** One look after the other, as the agent does; values meanwhile. */
let looks = Promise.resolve();
for await (const line of lines) {
  const command = JSON.parse(line) as Command;
  const { look: asked, sweep: swept } = command;
  if (asked !== undefined) looks = looks.then(() => look(asked)).catch(() => undefined);
  if (swept !== undefined) looks = looks.then(() => sweep(swept)).catch(() => undefined);
  if (command.visit !== undefined) void visit(command.visit).catch(() => undefined);
}
