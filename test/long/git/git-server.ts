/** Serves the repositories of a folder over HTTP, read only: `git http-backend` behind Node's own server. */
import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

const [folder = '', port = ''] = process.argv.slice(2);

createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
}).listen(Number(port));

/** As a web server runs a CGI program: the request in its environment, its answer with a head of its own. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://git');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
    },
  });
  // A program that ends without reading its input closes the pipe: no fault of ours.
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const pieces: Buffer[] = [];
  for await (const piece of child.stdout) pieces.push(piece as Buffer);
  const whole = Buffer.concat(pieces);
  const end = whole.indexOf('\r\n\r\n');
  const head = whole.subarray(0, end).toString().split('\r\n');
  const fields = head.map((line) => line.split(/: (.*)/s) as [string, string]);
  const status = fields.find(([name]) => name === 'Status')?.[1] ?? '200';
  response.writeHead(Number.parseInt(status, 10), Object.fromEntries(fields.filter(([n]) => n !== 'Status')));
  response.end(whole.subarray(end + 4));
}
