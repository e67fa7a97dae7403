/**
 * Whoever listens where kube-proxy does: says "ready", then answers at `/proxyMode` as kube-proxy does, and at `/configz` in the manner
 * of its first argument.
 */
import type { Socket } from 'node:net';
import { createServer } from 'node:net';

const manners: Readonly<Record<string, (socket: Socket) => void>> = {
  'with its settings': (socket) =>
    socket.end('{"kubeproxy.config.k8s.io":{"mode":"ipvs","ipvs":{"tcpTimeout":"15m0s"}}}'),
  'with groups that are null': (socket) =>
    socket.end('{"kubeproxy.config.k8s.io":{"ipvs":null,"conntrack":null}}'),
  'without an end': (socket) => {
    const trickle = setInterval(() => socket.write(' '), 100);
    socket.on('close', () => clearInterval(trickle));
  },
  'with a gibibyte': (socket) => {
    const piece = Buffer.alloc(1 << 20, '[');
    let left = 1024;
    const pour = () => {
      while (left > 0 && socket.write(piece)) left -= 1;
    };
    socket.on('drain', pour);
    pour();
  },
  'with nothing': () => undefined,
};

const answer = manners[process.argv[2] ?? ''];
createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (request) => {
    socket.write('HTTP/1.0 200 OK\r\n\r\n');
    if (request.toString().startsWith('GET /proxyMode ')) socket.end('ipvs');
    else answer?.(socket);
  });
}).listen(10_249, '127.0.0.1', () => process.stdout.write('ready\n'));
