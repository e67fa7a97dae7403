import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { get } from '../../cluster/api.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { argoCd } from '../../cluster/program.ts';
import { layOver, unpacked } from '../../cluster/unpacked.ts';
import type { Patience } from '../../cluster/wait.ts';
import { until } from '../../cluster/wait.ts';
import { helmProgram } from '../../support/helm.ts';
import { kustomizeProgram } from '../../support/kustomize.ts';

export const argoProgram = argoCd();
/** What it keeps its cache in, and what it fetches by. */
export const argoPackages = unpacked('argocd', ['git', 'redis-server']);
/** Two thousand packages are compiled the first time. */
export const argoBuildMs = 7_200_000;
const home = 'argocd';
const ports = { redis: 6379, repoServer: 8081, server: 8080 };
/** What its command line speaks to. */
export const argoServer = `127.0.0.1:${ports.server}`;

interface Resource {
  readonly kind: string;
  readonly name: string;
  readonly status?: string;
  readonly health?: { readonly status: string; readonly message?: string };
}

export interface Application {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  /** Asked for, and not begun. */
  readonly operation?: object;
  readonly status?: {
    readonly sync?: { readonly status: string; readonly revision?: string };
    readonly health?: { readonly status: string };
    /** The syncs that succeeded. */
    readonly history?: readonly object[];
    readonly operationState?: { readonly phase: string; readonly message?: string };
    readonly resources?: readonly Resource[];
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  };
}

/** `Synced Healthy`, as its list shows it. */
export const standing = ({ status }: Application) => `${status?.sync?.status} ${status?.health?.status}`;

/** Argo CD beside the API server: what its installation has, without single sign-on, as processes. */
export class ArgoCd {
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  static async start(cluster: Cluster): Promise<ArgoCd> {
    const argo = new ArgoCd(cluster);
    await cluster.kubectl('apply', '--server-side', '-k', join(argoProgram.place, 'crds'));
    await cluster.kubectl('create', 'namespace', home);
    await cluster.kubectl('apply', '-n', home, '-k', join(argoProgram.place, 'config'));
    await argo.#run();
    return argo;
  }

  async #run(): Promise<void> {
    const { lab } = this.#cluster;
    const host = await lab.host('control');
    const folder = join(lab.folder, home);
    for (const name of ['bin', 'home', 'tls', 'ssh', 'plugins', 'tmp'])
      mkdirSync(join(folder, name), { recursive: true });
    symlinkSync(await helmProgram('Helm 3'), join(folder, 'bin/helm'));
    symlinkSync(await kustomizeProgram(), join(folder, 'bin/kustomize'));
    await layOver(host, argoPackages);
    const env = this.#cluster.environment({
      PATH: `${join(folder, 'bin')}:${this.#cluster.environment().PATH}`,
      ...{ HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') },
      // The cluster that it runs in is the one of its kubeconfig.
      ARGOCD_FAKE_IN_CLUSTER: 'true',
      ARGOCD_GPG_ENABLED: 'false',
      ARGOCD_TLS_DATA_PATH: join(folder, 'tls'),
      ARGOCD_SSH_DATA_PATH: join(folder, 'ssh'),
      ARGOCD_PLUGINSOCKFILEPATH: join(folder, 'plugins'),
    });
    const start = (name: string, argv: readonly string[]) =>
      host.start(argv, {
        logFile: join(lab.folder, 'log', `${name}.log`),
        env: { ...env, ARGOCD_BINARY_NAME: name },
      });
    const redis = join(folder, 'redis.conf');
    // Under a title of its own nobody would find it again.
    writeFileSync(redis, `bind 127.0.0.1\nport ${ports.redis}\nsave ""\nset-proc-title no\n`);
    await start('redis', ['redis-server', redis]);
    const program = join(argoProgram.place, 'argocd');
    const cache = ['--redis', `127.0.0.1:${ports.redis}`];
    const repoServer = ['--disable-tls', '--port', `${ports.repoServer}`, ...cache];
    await start('argocd-repo-server', [program, ...repoServer]);
    const common = [
      ...['--kubeconfig', this.#cluster.kubeconfig, '--namespace', home, ...cache],
      ...['--repo-server', `127.0.0.1:${ports.repoServer}`, '--repo-server-plaintext'],
    ];
    const open = ['--insecure', '--disable-auth', '--port', `${ports.server}`, '--metrics-port', '8093'];
    await start('argocd-server', [program, ...common, ...open]);
    // It makes this project, and the secret that the others need, when it starts for the first time.
    await until('the project "default" is there', async () => {
      const path = `/apis/argoproj.io/v1alpha1/namespaces/${home}/appprojects/default`;
      return (await get(this.#cluster.apiSocket, path)).status === 200;
    });
    await start('argocd-application-controller', [program, ...common, '--persist-resource-health']);
  }

  async application(name: string): Promise<Application> {
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${home}/applications/${name}`;
    const { status, body } = await get(this.#cluster.apiSocket, path);
    if (status !== 200) throw new Error(`${path}: the API server says ${status} ${body}`);
    return JSON.parse(body) as Application;
  }

  /** Waits until it holds, of the revision if one is told; throws what is in the way. */
  async until(
    name: string,
    holds: (application: Application) => boolean,
    patience: Patience = { timeoutMs: 180_000 },
  ): Promise<Application> {
    let last: Application | undefined;
    const asked = async () => {
      last = await this.application(name);
      return holds(last) ? last : undefined;
    };
    return until(`Application ${name}`, asked, { everyMs: 200, ...patience }).catch((error: unknown) => {
      const told = last === undefined ? 'nobody answered' : JSON.stringify(inTheWay(last));
      throw new Error(`${(error as Error).message}; it is ${told}`, { cause: error });
    });
  }

  /** As the button of its page does; resolves when it has compared. */
  async refresh(name: string, kind: 'normal' | 'hard' = 'normal'): Promise<Application> {
    const annotation = 'argocd.argoproj.io/refresh';
    await this.#cluster.kubectl(
      'annotate',
      'application',
      name,
      '-n',
      home,
      '--overwrite',
      `${annotation}=${kind}`,
    );
    return this.until(name, ({ metadata }) => metadata.annotations?.[annotation] === undefined);
  }
}

/** Of the first object of a kind. */
export const healthOf = ({ status }: Application, kind: string) =>
  status?.resources?.find((one) => one.kind === kind)?.health?.status;

/** What of an Application is not as it should be. */
export function inTheWay({ status }: Application) {
  const { resources = [], sync, health, operationState, conditions } = status ?? {};
  const isFine = (one: Resource) =>
    one.status === 'Synced' && (one.health === undefined || one.health.status === 'Healthy');
  const { phase, message } = operationState ?? {};
  const unwell = resources.filter((one) => !isFine(one));
  return {
    ...{ sync: sync?.status, revision: sync?.revision, health: health?.status },
    ...{ phase, message, conditions, resources: unwell },
  };
}
