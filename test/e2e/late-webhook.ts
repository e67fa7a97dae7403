/** `late-webhook.ts KEYS PORT`: somebody else's webhook beside the API server, which puts every pod on its node's network, and labels it. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

const [keys = '', port = ''] = process.argv.slice(2);
// Those of the API server: they are of 127.0.0.1, where both are.
const read = (file: string) => readFileSync(join(keys, file));
const change = [
  { op: 'add', path: '/spec/hostNetwork', value: true },
  { op: 'add', path: '/metadata/labels/moved', value: 'yes' },
];
const patch = Buffer.from(JSON.stringify(change));

createServer({ cert: read('apiserver.crt'), key: read('apiserver.key') }, (question, answer) => {
  void json(question).then((review) => {
    const { apiVersion, kind, request } = review as { apiVersion: string; kind: string; request: Request };
    const response = {
      uid: request.uid,
      allowed: true,
      patchType: 'JSONPatch',
      patch: patch.toString('base64'),
    };
    answer.setHeader('content-type', 'application/json');
    answer.end(JSON.stringify({ apiVersion, kind, response }));
  });
}).listen(Number(port), '127.0.0.1');

interface Request {
  readonly uid: string;
}
