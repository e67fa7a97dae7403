import { ApiClient } from '../kube/client.ts';
import { isForbidden, isNetwork, isNotFound, isUnauthorized } from '../kube/errors.ts';
import type { KubeCluster } from '../kube/kubeconfig.ts';
import { fromKubeConfig } from '../kube/kubeconfig.ts';
import type { KubeObject, Target } from '../kube/resource.ts';
import type { ClusterOptions } from './cluster-option.ts';
import { proxyOf } from './environment-proxy.ts';
import { loadKubeConfig } from './kubeconfig.ts';
import { CommandError } from './terminal.ts';

/** What could be read, or why not: whatever follows from what is not known is not known either. */
export type Answer<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

export function known<T>(value: T): Answer<T> {
  return { known: true, value };
}

export function valueOr<T, F>(answer: Answer<T>, otherwise: F): T | F {
  return answer.known ? answer.value : otherwise;
}

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Where so many have come, no more are asked for. */
  readonly atLeast?: number;
}

const pageLimit = 500;

/** What to do where there is no answer, by what the error says. */
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /CERT|SELF_SIGNED|SIGNATURE/,
    'its certificate is not one that the kubeconfig trusts (certificate-authority)',
  ],
  [
    /Proxy response/,
    'the proxy that the kubeconfig names for this cluster (proxy-url), or else HTTPS_PROXY, does not let you through',
  ],
];
const elsewhere =
  'is the cluster up, and is it the one you mean? `kubectl config get-contexts` lists what there is';

/** A cluster as somebody at a terminal reaches it. Where nothing answers at all, every call throws a CommandError. */
export class Cluster {
  readonly client: ApiClient;
  /** Of the context, unless one was named. */
  readonly namespace: string;
  /** Its context and its server. */
  readonly where: string;

  constructor(client: ApiClient, { namespace, where }: { namespace: string; where: string }) {
    this.client = client;
    this.namespace = namespace;
    this.where = where;
  }

  /** All objects of a kind; none where the API server does not serve it. */
  list(target: Target, options: ListOptions = {}): Promise<Answer<readonly KubeObject[]>> {
    return this.#asked('list', target, () => this.#pages(target, options), []);
  }

  /** Undefined: it is not there. */
  get(target: Target & { name: string }): Promise<Answer<KubeObject | undefined>> {
    return this.#asked('get', target, () => this.client.get(target), undefined);
  }

  /** As {@link ApiClient.kindsOf}; none where the API server does not know the group. */
  kindsOf(group: string, version: string): Promise<Answer<readonly string[]>> {
    const target = { group, version, plural: '' };
    return this.#asked('list', target, () => this.client.kindsOf(target), []);
  }

  /** Any other call: `what` reads on after "you may not". */
  async ask<T>(what: string, call: () => Promise<T>): Promise<Answer<T>> {
    try {
      return known(await call());
    } catch (error) {
      return this.#unknown(error, what);
    }
  }

  async #asked<T, N>(
    verb: string,
    target: Target,
    call: () => Promise<T>,
    absent: N,
  ): Promise<Answer<T | N>> {
    const { plural, namespace } = target;
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
    return this.ask(`${verb} ${plural}${where}`, () =>
      call().catch((error: unknown) => {
        if (isNotFound(error)) return absent;
        throw error;
      }),
    );
  }

  async #pages(target: Target, { atLeast = Infinity, ...options }: ListOptions): Promise<KubeObject[]> {
    const limit = Math.min(atLeast, pageLimit);
    const items: KubeObject[] = [];
    let next: string | undefined;
    do {
      const page = await this.client.listPage(target, { ...options, limit, continue: next });
      items.push(...page.items);
      next = page.metadata.continue === '' ? undefined : page.metadata.continue;
      // A page may be empty where others follow.
    } while (next !== undefined && items.length < atLeast);
    return items;
  }

  #unknown(error: unknown, what: string): { known: false; why: string } {
    if (isForbidden(error)) return { known: false, why: `you may not ${what}` };
    if (isNetwork(error)) throw this.#unreachable(error as Error);
    if (isUnauthorized(error))
      throw new CommandError(
        `the API server does not accept who you are (${this.where}): log in anew, or choose another --context; ` +
          '`kubectl auth whoami` tells more',
      );
    return { known: false, why: (error as Error).message };
  }

  #unreachable({ message, cause }: Error): CommandError {
    const reason = /no answer \((.*)\)/.exec(message)?.[1] ?? message;
    // What a login plugin or a proxy says comes this way.
    const said = cause instanceof Error && !message.includes(cause.message) ? `: ${cause.message}` : '';
    const [, hint = elsewhere] = hints.find(([pattern]) => pattern.test(`${message}${said}`)) ?? [];
    return new CommandError(`no answer from the API server (${this.where}): ${reason}${said}: ${hint}`);
  }
}

/** Throws a CommandError where there is no way to a cluster. */
export async function openCluster(
  { namespace, ...options }: ClusterOptions,
  version: string,
): Promise<Cluster> {
  const { config, headers } = loadKubeConfig(options);
  const cluster = config.getCurrentCluster();
  if (cluster !== null) config.clusters = [throughProxy(cluster, process.env)];
  const current = config.getContextObject(config.getCurrentContext());
  const where = `context ${current?.name}, ${cluster?.server}`;
  try {
    const connection = await fromKubeConfig(config, headers);
    const client = new ApiClient(connection, { userAgent: `keepalive/${version}` });
    return new Cluster(client, { namespace: namespace ?? current?.namespace ?? 'default', where });
  } catch (error) {
    throw new CommandError(
      `cannot log in (${where}): ${(error as Error).message.trim()}. Mend that user of the kubeconfig, or choose another --context`,
    );
  }
}

/** For the tool alone: what runs in the cluster reaches its API server as its pod does. */
function throughProxy(cluster: KubeCluster, environment: NodeJS.ProcessEnv): KubeCluster {
  const proxyUrl = cluster.proxyUrl || proxyOf(cluster.server, environment);
  return proxyUrl === undefined ? cluster : { ...cluster, proxyUrl };
}
