/**
 * A program with open connections: `talker.ts serve ADDRESS PORT [half]`, or
 * `talker.ts connect ADDRESS PORT COUNT (deaf | asks | asks:SECONDS | half) [share]`. Says "ready", then what it is told to do:
 * a line `deaf` on its standard input turns keepalive off again. Where both say `half`, who connects has nothing more to say, and
 * waits for an answer that does not come.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

import { setSocketOption } from '../../src/kernel/syscall.ts';

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const keepalive = { level: SOL_SOCKET, name: 9 };
const idle = { level: IPPROTO_TCP, name: 4 };

const [role, address = '', port = '', count = '1', manner = 'deaf', share] = process.argv.slice(2);
const allowHalfOpen = [count, manner].includes('half');
const number = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
};
const descriptorOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;

function behave(socket: Socket): void {
  const [asks, seconds] = manner.split(':');
  if (asks === 'half') socket.end();
  if (asks === 'asks') setSocketOption(descriptorOf(socket), keepalive, number(1));
  if (seconds !== undefined) setSocketOption(descriptorOf(socket), idle, number(Number(seconds)));
}

if (role === 'serve') {
  const server = createServer({ allowHalfOpen }, (socket) => socket.on('error', () => socket.destroy()));
  server.listen(Number(port), address, () => process.stdout.write('ready\n'));
} else {
  const sockets = await Promise.all(
    Array.from({ length: Number(count) }, async () => {
      const socket = connect({ host: address, port: Number(port), allowHalfOpen });
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      behave(socket);
      return socket;
    }),
  );
  // A child that holds the same sockets, as a server that forks has.
  if (share !== undefined) spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', ...sockets] });
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const silenced = line === 'deaf' ? sockets : [];
    for (const socket of silenced) setSocketOption(descriptorOf(socket), keepalive, number(0));
    process.stdout.write('done\n');
  }
}
