import { ownDaemonSet } from '../../src/agent/daemonset.ts';
import { Reporter } from '../../src/agent/reporter.ts';
import { requirements } from '../../src/agent/requirement.ts';
import { World } from '../../src/agent/world.ts';
import { AGENT_NAME } from '../../src/api/group.ts';
import type { NodeKeepaliveStatus } from '../../src/api/node-keepalive.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import type { Clock } from '../../src/kube/clock.ts';
import type { Log } from '../../src/kube/log.ts';
import { requirementsHold } from '../../src/kube/requirement.ts';
import { nodeReport } from '../../src/policy/node-report.ts';
import { selectOnNode } from '../../src/policy/selection.ts';
import { readingsOf, socketsOf } from './played-kernel.ts';

const means = { by: 'BPF', countedBy: 'BPF', why: undefined } as const;

/** The product's agent but for its kernel: what it hears, what it decides and what it writes are its own. */
export class PlayedAgent {
  readonly world: World;
  readonly reporter: Reporter;
  readonly node: string;
  #count = 0;

  constructor(
    options: {
      readonly client: ApiClient;
      readonly log: Log;
      readonly node: string;
      readonly clock?: Clock;
    },
    world?: World,
  ) {
    this.node = options.node;
    this.world = world ?? new World(options.node);
    // As the Deployment has it.
    this.reporter = new Reporter({ ...options, world: this.world, intervalMs: 10_000 });
  }

  /** As a real one starts: what it needs is asked for, then it watches all that a real one does. */
  async watch(client: ApiClient, log: Log, podName: string, signal: AbortSignal): Promise<void> {
    if (!(await requirementsHold(client, requirements, { log, signal }))) return;
    await ownDaemonSet(client, { namespace: AGENT_NAME, name: podName }, { signal });
    let isSynced = false;
    const watched = this.world.watchAll({
      ...{ client, log, settingsNamespace: 'keepalive-system' },
      onChange: (resource) => {
        if (resource === 'nodekeepalives') this.reporter.lookAgain();
        else if (isSynced && resource !== 'daemonsets') this.heard();
      },
    });
    for (const { reflector } of watched) void reflector.run(signal);
    await Promise.all(watched.map(({ reflector }) => reflector.whenSynced));
    isSynced = true;
    this.heard();
  }

  heard(): void {
    this.reporter.offer(() => this.#report());
  }

  /** Connections were counted once more. */
  counted(): void {
    this.#count += 1;
    this.heard();
  }

  #report(): NodeKeepaliveStatus {
    const selections = selectOnNode(this.world.gather());
    return nodeReport({
      ...{ node: this.node, agentVersion: 'played', selections, means, discovery: undefined },
      ...{ readings: readingsOf(selections), sockets: socketsOf(selections, this.#count) },
      peers: 'Hide',
    });
  }
}
