import type { KubeObject } from '../kube/resource.ts';
import { someOf } from '../policy/finding.ts';
import { valueOr } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';
import { leaseNames } from './lease-name.ts';

/** The API server tells whole seconds, and an answer takes its time. */
const aheadSeconds = 5;
/** A kubelet renews every 10 s and is given 40 s until its node is called lost. */
const behindSeconds = 60;

/**
 * Nodes write times by their own clocks into the Leases that they renew every few seconds; beside the API server's own Date these
 * show a clock that is wrong. Of a node that is not Ready, an old Lease says nothing of its clock.
 */
export function clocks({ server, nodeLeases, nodes, leases, deployments, nowMs }: DoctorFacts): Statement[] {
  const serverMs = server.known ? server.value.dateMs : undefined;
  if (serverMs === undefined)
    return [unknown('whether clocks agree: the API server does not say what time it has')];
  const unread = [nodeLeases, nodes].find((one) => !one.known);
  if (unread?.known === false)
    return [unknown(`whether the clocks of nodes agree: ${unread.why}`), ...own(nowMs, serverMs)];
  const times = [
    ...ofNodes(valueOr(nodeLeases, []), valueOr(nodes, [])),
    ...ofController(valueOr(leases, []), leaseNames(valueOr(deployments, []))),
  ];
  const ahead = times.filter(({ atMs }) => atMs - serverMs > aheadSeconds * 1000);
  const behind = times.filter(
    ({ atMs, whose }) => whose.startsWith('node ') && serverMs - atMs > behindSeconds * 1000,
  );
  const told = [...ahead, ...behind].map(({ whose, atMs }) => {
    const seconds = Math.round((atMs - serverMs) / 1000);
    return `${whose} (${seconds > 0 ? `${seconds} s ahead` : `${-seconds} s behind`})`;
  });
  const agree =
    told.length === 0
      ? fine(`the clocks of ${times.length} nodes agree with that of the API server`)
      : wrong(
          `clocks differ from that of the API server: ${someOf(told)}`,
          'have these nodes keep time (chrony, systemd-timesyncd): events and Leases are compared by it',
        );
  const unseen = [leases, deployments].flatMap((one) =>
    one.known ? [] : [unknown(`whether the clock of the controller's node agrees: ${one.why}`)],
  );
  return [agree, ...unseen, ...own(nowMs, serverMs)];
}

interface Time {
  readonly whose: string;
  readonly atMs: number;
}

function ofNodes(nodeLeases: readonly KubeObject[], nodes: readonly KubeObject[]): Time[] {
  const ready = new Set(nodes.filter(isReady).map(({ metadata }) => metadata.name));
  return nodeLeases
    .filter(({ metadata }) => ready.has(metadata.name))
    .flatMap((one) => timeIn(one, `node ${one.metadata.name}`));
}

function ofController(leases: readonly KubeObject[], names: ReadonlySet<string | undefined>): Time[] {
  return leases
    .filter(({ metadata }) => names.has(metadata.name))
    .flatMap((one) => timeIn(one, 'the node of the controller'));
}

/** What is wrong here harms nobody but who asks: tokens of login plugins are refused. */
function own(nowMs: number, serverMs: number): Statement[] {
  const seconds = Math.round((nowMs - serverMs) / 1000);
  return Math.abs(seconds) <= behindSeconds
    ? []
    : [
        note(
          `the clock of this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} that of the API server`,
        ),
      ];
}

function timeIn({ spec }: KubeObject, whose: string): Time[] {
  const { renewTime } = (spec ?? {}) as { renewTime?: string };
  const atMs = Date.parse(renewTime ?? '');
  return Number.isNaN(atMs) ? [] : [{ whose, atMs }];
}

function isReady({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as {
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return conditions.some((one) => one.type === 'Ready' && one.status === 'True');
}
