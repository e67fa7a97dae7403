import { readFileSync, existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import { accountOf, type Account } from './account.ts';
import { systemClock, type Clock } from './clock.ts';

/** How to reach one API server and as whom. */
export interface Connection {
  readonly server: string;
  /** The pool that carries every request; asked for anew each time, since a rotated CA replaces it. */
  dispatcher(): Dispatcher;
  headers(): Promise<Record<string, string>>;
  /** As what ServiceAccount, where it is as one that is known; as the headers, asked for anew each time. */
  account?(): Account | undefined;
  close(): Promise<void>;
}

/** Where the kubelet mounts the service account. */
const serviceAccountRoot = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet rotates the token at 80 % of its life, an hour at most; client-go looks each minute too. */
const rereadMs = 60_000;

/**
 * The 30 s are ahead of the 60 s after which the shortest load balancers forget a connection. Node then sets
 * interval 1 s and 10 probes on the socket itself: no sysctl of ours reaches our own connections.
 */
export const connect = { keepAlive: true, keepAliveInitialDelay: 30_000 } as const;
/**
 * The API server speaks HTTP/2, so all requests and watches share one connection. TCP keepalive is silent while
 * data waits to be acknowledged; an unanswered ping replaces a dead connection within 30 s (undici's 60 s: 2 min).
 */
export const h2Options = { pingInterval: 15_000 } as const;

/** What a pod knows about itself; read again at most once a minute, when it is asked for. */
export function serviceAccount(
  root: string,
  clock: Clock = systemClock,
): () => { token: string; ca: string } {
  const read = () => ({
    token: readFileSync(join(root, 'token'), 'utf8').trim(),
    ca: readFileSync(join(root, 'ca.crt'), 'utf8'),
  });
  let known = read();
  let readAt = clock.now();
  return () => {
    if (clock.now() - readAt >= rereadMs) {
      known = read();
      readAt = clock.now();
    }
    return known;
  };
}

/**
 * Why not client-node here: measured bundled on Node 26 beside pino, zod and prom-client, undici alone is
 * 24 MiB of anonymous memory and client-node's config module 45 MiB, because it loads every generated model.
 * In the cluster all there is to know lies in two files, so only a kubeconfig file pays for it.
 */
export function inCluster(environment: NodeJS.ProcessEnv, root = serviceAccountRoot): Connection {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set: run inside a pod, or set KUBECONFIG');
  const account = serviceAccount(root);
  let { ca } = account();
  let agent = new Agent({ h2Options, connect: { ...connect, ca } });
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    dispatcher: () => agent,
    headers: () => {
      const now = account();
      if (now.ca !== ca) {
        ca = now.ca;
        // Watches that still run on the old pool end at their own deadline; close() waits for them.
        void agent.close();
        agent = new Agent({ h2Options, connect: { ...connect, ca } });
      }
      return Promise.resolve({ authorization: `Bearer ${now.token}` });
    },
    account: () => accountOf(account().token),
    close: () => agent.destroy(),
  };
}

/** A server without authentication: a test, or `kubectl proxy`; by TCP, or by a unix socket. */
export function plain(server: string, socketPath?: string): Connection {
  const agent = new Agent({ connect: socketPath === undefined ? connect : { socketPath } });
  return {
    server,
    dispatcher: () => agent,
    headers: () => Promise.resolve({}),
    close: () => agent.destroy(),
  };
}

/** KUBECONFIG where it is set, else the pod's service account, else `~/.kube/config`. */
export async function openConnection(environment: NodeJS.ProcessEnv): Promise<Connection> {
  const { KUBECONFIG: file, KUBERNETES_SERVICE_HOST: host } = environment;
  if (!file && host && existsSync(serviceAccountRoot)) return inCluster(environment);
  const { fromKubeConfig, KubeConfig } = await import('./kubeconfig.ts');
  const config = new KubeConfig();
  if (file) config.loadFromFile(file);
  else config.loadFromDefault();
  return fromKubeConfig(config);
}
