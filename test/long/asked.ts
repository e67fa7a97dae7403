import { get } from '../cluster/api.ts';
import { Cluster } from '../cluster/cluster.ts';
import { labSettings } from '../cluster/install.ts';
import { until } from '../cluster/wait.ts';
import { Bench, kap } from '../e2e/shared.ts';
import { Overlays } from '../support/overlay.ts';
import { Passing } from './passing.ts';

/** Kubernetes of a version is built first where it was not: ten minutes on two cores. */
export const asksMs = 3_600_000;
/** The youngest line whose managed clusters do not serve MutatingAdmissionPolicy: most of what is tried is tried on it. */
export const youngest = process.env.KEEPALIVE_WEBHOOK_ON ?? '1.35.4';
export const configuration = ['mutatingwebhookconfiguration', 'pods.keepalive.dev'] as const;
export const secret = ['secret', 'keepalive-webhook', '-n', 'keepalive-system'] as const;
export const replicas = ['-n', 'keepalive-system', 'deployment/keepalive-controller'] as const;

/** A cluster of its own whose API server asks the webhook and nobody else, with one policy for the namespace of the test. */
export class Asked {
  readonly cluster: Cluster;
  readonly bench: Bench;
  /** The kustomization by which it was installed. */
  readonly folder: string;
  readonly namespace: string;
  readonly team: { readonly kind: 'kap'; readonly name: 'team'; readonly namespace: string };
  readonly passing: Passing;
  readonly #overlays: Overlays;

  private constructor(cluster: Cluster, overlays: Overlays) {
    this.cluster = cluster;
    this.#overlays = overlays;
    this.bench = new Bench(cluster);
    this.folder = overlays.write('webhook', { components: ['webhook'] });
    this.namespace = cluster.name;
    this.team = { kind: 'kap', name: 'team', namespace: this.namespace };
    this.passing = new Passing(cluster, this.namespace);
  }

  static async up(name: string, kubernetes: string, install = byOverlay): Promise<Asked> {
    const cluster = await Cluster.up({ name, nodes: 1, kubernetes, owned: true });
    const asked = new Asked(cluster, new Overlays());
    const { bench, namespace, team } = asked;
    await install(asked);
    await bench.namespace(namespace);
    await bench.apply(kap(namespace, 'team', 90));
    await bench.status(team);
    return asked;
  }

  async untilGiven(): Promise<void> {
    await until('new pods have the values', () => this.passing.isGiven());
  }

  /** What each replica has answered about pods so far, by its pod: how many it changed, and all but its own questions. */
  async answers(): Promise<ReadonlyMap<string, { readonly changed: number; readonly all: number }>> {
    const controllers = ['-n', 'keepalive-system', '-l', 'app.kubernetes.io/component=controller'];
    const { items } = await this.bench.json<{ items: readonly { metadata: { name: string } }[] }>(
      ...['pods', ...controllers],
    );
    const all = items.map(async ({ metadata: { name } }) => {
      const path = `/api/v1/namespaces/keepalive-system/pods/${name}:8080/proxy/metrics`;
      const { status, body } = await get(this.cluster.apiSocket, path);
      if (status !== 200) throw new Error(`${name} tells no metrics: ${status} ${body}`);
      return [name, answersIn(body)] as const;
    });
    return new Map(await Promise.all(all));
  }

  async down(): Promise<void> {
    await this.passing.close();
    this.#overlays.remove();
    await this.cluster.down();
  }
}

async function byOverlay({ bench, cluster, folder }: Asked): Promise<void> {
  await cluster.install({ folder });
  await bench.settings(labSettings);
}

/** In the text of /metrics. */
function answersIn(text: string): { changed: number; all: number } {
  const told = [...text.matchAll(/^keepalive_webhook_reviews_total\{answer="(\w+)"\} (\d+)$/gm)]
    .filter(([, answer]) => answer !== 'question')
    .map(([, answer, count]) => ({ answer, count: Number(count) }));
  const sum = (some: typeof told) => some.reduce((total, { count }) => total + count, 0);
  return { changed: sum(told.filter(({ answer }) => answer === 'changed')), all: sum(told) };
}
