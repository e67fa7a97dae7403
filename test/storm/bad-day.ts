import type { Cluster } from '../cluster/cluster.ts';
import { documentsOf } from '../support/manifest.ts';

/** What can go wrong with an API server and what is behind it, for as long as `during` takes; all is as before afterwards. */
export class BadDay {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Killed, and started on the same data: everybody lists everything anew. */
  async restarted(during: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const server = this.#cluster.component('apiserver');
    await server.stop('SIGKILL');
    await during();
    await server.start();
  }

  /** The same, and what a watch could go on from is no longer known: 410 for each of them. */
  async forgotten(): Promise<void> {
    await this.restarted(async () => {
      const { header } = await this.#etcd('/v3/kv/range', { key: 'AA==', limit: '1' });
      await this.#etcd('/v3/kv/compaction', { revision: header.revision, physical: true });
    });
  }

  /** etcd answers nothing for 100 ms out of 110: a write takes that long. */
  async slow(during: () => Promise<void>): Promise<void> {
    const etcd = this.#cluster.component('etcd');
    let isOver = false;
    const freezing = (async () => {
      while (!isOver) {
        etcd.pause();
        await delay(100);
        etcd.resume();
        await delay(10);
      }
    })();
    try {
      await during();
    } finally {
      isOver = true;
      await freezing;
    }
  }

  /**
   * The API server refuses everything that the controller asks but its lease, by 429 with Retry-After: leases have a level of
   * priority of their own (k8s.io/apiserver, apis/flowcontrol/bootstrap). Gives back how many were refused.
   */
  async refused(user: string, during: () => Promise<void>): Promise<number> {
    await this.#cluster.apply(documentsOf(levelWithoutSeats(user)));
    try {
      await during();
      return await this.#refusals();
    } finally {
      await this.#cluster.kubectl('delete', 'flowschema,prioritylevelconfiguration', levelName);
    }
  }

  async #refusals(): Promise<number> {
    const metrics = await this.#cluster.kubectl('get', '--raw', '/metrics');
    const counts = [...metrics.matchAll(refusals)].map(([, count]) => Number(count));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** One request of etcd's JSON gateway, sent inside the lab. */
  async #etcd(path: string, body: object): Promise<{ header: { revision: string } }> {
    const script = `const r = await fetch('http://127.0.0.1:2379${path}', {method: 'POST', body: process.argv[1]}); console.log(await r.text())`;
    const argv = [process.execPath, '--input-type=module', '-e', script, JSON.stringify(body)];
    const { stdout, stderr, code } = await this.#cluster.exec(argv);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as { header: { revision: string } };
  }
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const levelName = 'no-seats';
const refusals = new RegExp(
  `^apiserver_flowcontrol_rejected_requests_total\\{[^}]*priority_level="${levelName}"[^}]*\\} (\\S+)$`,
  'gm',
);

function levelWithoutSeats(user: string): object[] {
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
  const metadata = { name: levelName };
  const [, , namespace = '', name = ''] = user.split(':');
  const verbs = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] };
  return [
    {
      ...{ apiVersion, kind: 'PriorityLevelConfiguration', metadata },
      spec: {
        type: 'Limited',
        limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
      },
    },
    {
      ...{ apiVersion, kind: 'FlowSchema', metadata },
      spec: {
        priorityLevelConfiguration: metadata,
        // After that of leases, which is 200, and before that of service accounts.
        matchingPrecedence: 8000,
        rules: [
          {
            subjects: [{ kind: 'ServiceAccount', serviceAccount: { namespace, name } }],
            resourceRules: [verbs],
          },
        ],
      },
    },
  ];
}
