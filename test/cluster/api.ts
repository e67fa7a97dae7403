import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A GET to the API server through the cluster's socket; status 0 where nothing answers. */
export function get(socketPath: string, path: string): Promise<Answer> {
  return new Promise((resolve) => {
    const nobody = () => {
      resolve({ status: 0, body: '' });
    };
    const call = request({ socketPath, path, host: 'localhost', timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
      response.once('error', nobody);
    });
    call
      .once('error', nobody)
      .once('timeout', () => call.destroy())
      .end();
  });
}

interface Node {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Ready, and with no taint left that keeps pods away. */
export async function isNodeReady(socketPath: string, name: string): Promise<boolean> {
  const { status, body } = await get(socketPath, `/api/v1/nodes/${name}`);
  if (status !== 200) return false;
  const node = JSON.parse(body) as Node;
  const ready = node.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  return ready === true && (node.spec.taints ?? []).length === 0;
}
