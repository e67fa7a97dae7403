import { close, connectLoopback, openInternetSocket, receive, sendAll, setSocketOption } from './syscall.ts';

const SOL_SOCKET = 1;
/** Send and receive: what does not answer at once on the same host will not. */
const patience = [
  { level: SOL_SOCKET, name: 20 },
  { level: SOL_SOCKET, name: 21 },
];
const patienceSeconds = 1;
const longestBytes = 64 * 1024;

/**
 * The body of `http://127.0.0.1:PORT/PATH` in the network namespace that the calling thread is in; undefined where
 * nobody can be asked, the answer is no success, or is not whole within about two seconds. It blocks: Node's own client would connect from wherever its
 * thread is by then.
 */
export function getFromLoopback(port: number, path: string): string | undefined {
  const fd = openInternetSocket('stream');
  try {
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(patienceSeconds));
    for (const option of patience) setSocketOption(fd, option, time);
    connectLoopback(fd, port);
    sendAll(fd, Buffer.from(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n`));
    return bodyOf(readAll(fd));
  } catch (error) {
    // A list of codes would always lack one: that of a route, of a firewall, or where no port is left to ask from.
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    throw error;
  } finally {
    close(fd);
  }
}

function readAll(fd: number): string {
  const pieces: Buffer[] = [];
  // Whoever listens there may be anybody: an answer that trickles must not hold up the thread.
  const deadline = performance.now() + patienceSeconds * 1000;
  for (let bytes = 0; bytes <= longestBytes && performance.now() < deadline;) {
    const piece = receive(fd, 16_384);
    if (piece.length === 0) return Buffer.concat(pieces).toString('utf8');
    pieces.push(piece);
    bytes += piece.length;
  }
  return '';
}

function bodyOf(answer: string): string | undefined {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return /^HTTP\/1\.[01] 200 /.test(head) ? rest.join('\r\n\r\n') : undefined;
}
