import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A GET to the API server through the cluster's socket; status 0 where nothing answers. */
export function get(socketPath: string, path: string): Promise<Answer> {
  return ask(socketPath, 'GET', path);
}

/** The same, of an object that is to be made. */
export function post(socketPath: string, path: string, object: unknown): Promise<Answer> {
  return ask(socketPath, 'POST', path, JSON.stringify(object));
}

function ask(socketPath: string, method: 'GET' | 'POST', path: string, sent = ''): Promise<Answer> {
  return new Promise((resolve) => {
    const nobody = () => {
      resolve({ status: 0, body: '' });
    };
    const headers = sent === '' ? {} : { 'content-type': 'application/json' };
    const asked = { socketPath, method, path, headers, host: 'localhost', timeout: 10_000 };
    const call = request(asked, (response) => {
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
      .end(sent);
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastHeartbeatTime: string;
}

interface Node {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: {
    readonly conditions?: readonly Condition[];
    readonly nodeInfo?: { readonly bootID: string };
  };
}

export interface Readiness {
  /** Ready, and with no taint left that keeps pods away. */
  readonly ready: boolean;
  /** When its kubelet last said so. */
  readonly heartbeat: string | undefined;
  /** Another one after each start of its kernel. */
  readonly boot: string | undefined;
}

export async function readinessOf(socketPath: string, node: string): Promise<Readiness> {
  const { status, body } = await get(socketPath, `/api/v1/nodes/${node}`);
  if (status !== 200) return { ready: false, heartbeat: undefined, boot: undefined };
  const { spec, status: said } = JSON.parse(body) as Node;
  const condition = said.conditions?.find(({ type }) => type === 'Ready');
  const ready = condition?.status === 'True' && (spec.taints ?? []).length === 0;
  return { ready, heartbeat: condition?.lastHeartbeatTime, boot: said.nodeInfo?.bootID };
}
