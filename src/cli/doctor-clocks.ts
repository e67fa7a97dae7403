import { CONTROLLER_NAME } from '../api/group.ts';
import type { KubeObject } from '../kube/resource.ts';
import { someOf } from '../policy/finding.ts';
import { valueOr } from './cluster.ts';
import type { DoctorFacts } from './doctor-facts.ts';
import type { Statement } from './explanation.ts';
import { fine, note, unknown, wrong } from './explanation.ts';

/** The API server tells whole seconds, and an answer takes its time. */
const aheadSeconds = 5;
/** A kubelet renews every 10 s and is given 40 s until its node is called lost. */
const behindSeconds = 60;

/**
 * Nodes write times by their own clocks into the Leases that they renew every few seconds; beside the API server's own Date these
 * show a clock that is wrong. Of a node that is not Ready, an old Lease says nothing of its clock.
 */
export function clocks({ server, nodeLeases, nodes, leases, nowMs }: DoctorFacts): Statement[] {
  const serverMs = server.known ? server.value.dateMs : undefined;
  if (serverMs === undefined)
    return [unknown('whether clocks agree: the API server does not say what time it has')];
  if (!nodeLeases.known)
    return [unknown(`whether the clocks of nodes agree: ${nodeLeases.why}`), ...own(nowMs, serverMs)];
  const ready = new Set(
    valueOr(nodes, [])
      .filter(isReady)
      .map(({ metadata }) => metadata.name),
  );
  const times = [
    ...nodeLeases.value
      .filter(({ metadata }) => ready.has(metadata.name))
      .map((one) => ({ whose: `node ${one.metadata.name}`, atMs: renewedMs(one) })),
    ...valueOr(leases, [])
      .filter(({ metadata }) => metadata.name === CONTROLLER_NAME)
      .map((one) => ({ whose: 'the node of the controller', atMs: renewedMs(one) })),
  ].filter((one): one is { whose: string; atMs: number } => one.atMs !== undefined);
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
  return [agree, ...own(nowMs, serverMs)];
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

function renewedMs({ spec }: KubeObject): number | undefined {
  const { renewTime } = (spec ?? {}) as { renewTime?: string };
  const at = Date.parse(renewTime ?? '');
  return Number.isNaN(at) ? undefined : at;
}

function isReady({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as {
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return conditions.some((one) => one.type === 'Ready' && one.status === 'True');
}
