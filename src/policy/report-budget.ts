import type { NodeKeepaliveStatus, NodePolicyReport, ShortenedReport } from '../api/node-keepalive.ts';
import type { Finding } from '../api/status.ts';
import { findingLimit } from '../api/status.ts';
import type { Draft } from './finding.ts';
import { worded } from './finding.ts';
import { oldestFirst } from './limits.ts';
import type { PolicyTotals } from './policy-report.ts';
import type { PolicyRecord } from './record.ts';
import { Share } from './share.ts';

/**
 * Of the status of a NodeKeepalive, as JSON. etcd refuses more than 1.5 MiB: even where the API server stores each byte as
 * six (it does so with <, > and &), this is a sixth of it. And it is enough for 250 pods of as many namespaces, each with
 * the totals of a policy of the longest name.
 */
export const reportBytes = 256 * 1024;

export function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Around what the two fields of a status hold. */
const frameBytes = sizeOf({ policies: [], shortened: [] });
const findingsFrameBytes = sizeOf({ findings: [] });
const commaBytes = 1;
/** Totals are taken to be as long as the next multiple: one digit more or less moves nobody else's findings. */
const stepBytes = 32;

/** What one policy has to be told. */
export interface PolicyDraft {
  readonly record: PolicyRecord;
  /** Asked for once at most, and only where there is room: of those that come too late nothing need be reckoned. */
  readonly totals: () => PolicyTotals;
  /** Worst first; the same holds. */
  readonly findings: () => readonly Draft[];
}

interface Applicant {
  readonly draft: PolicyDraft;
  /** Undefined where there is no room for any. */
  totals: PolicyTotals | undefined;
  drafts: readonly Draft[] | undefined;
  readonly findings: Finding[];
}

type Fitted = Pick<NodeKeepaliveStatus, 'policies' | 'shortened'>;

/**
 * As much of what policies should be told as so many bytes hold. Cluster policies and namespaced ones share alike, and so
 * do the cluster policies among themselves, the namespaces, and the policies of each. Whoever has had nothing goes
 * first, so in a namespace all have their totals, which are never anything but whole, before one has a finding; where
 * not even totals of all have room, older policies go before newer ones.
 */
export function fitted(drafts: readonly PolicyDraft[], bytes: number): Fitted {
  const applicants = drafts.map((draft): Applicant => ({
    draft,
    totals: undefined,
    drafts: undefined,
    findings: [],
  }));
  const namespaces = Map.groupBy(applicants, ({ draft }) => draft.record.namespace);
  // What was cut has to be said too, whoever it turns out to be.
  const reserved = [...namespaces].map(([namespace, all]) => shortening(namespace, all, all.length));
  const room = new Room(bytes - frameBytes - sizeOf(reserved));
  sharesOf(namespaces).distribute((one) =>
    one.totals === undefined ? tellTotals(one, room) : tellFinding(one, room),
  );
  const policies = applicants.flatMap(reportOf);
  const shortened = [...namespaces].flatMap(([namespace, all]) => {
    const leftOut = all.filter(({ totals }) => totals === undefined).length;
    const isWhole = all.every(({ totals, findings }) => findings.length === listedOf(totals ?? {}));
    return leftOut === 0 && isWhole ? [] : [shortening(namespace, all, leftOut)];
  });
  return {
    ...(policies.length === 0 ? {} : { policies }),
    ...(shortened.length === 0 ? {} : { shortened }),
  };
}

function tellTotals(one: Applicant, room: Room): number | 'none' | 'full' {
  const totals = one.draft.totals();
  const size = sizeOf(totals) + commaBytes + (totals.findingsTotal === undefined ? 0 : findingsFrameBytes);
  const steps = Math.ceil(size / stepBytes) * stepBytes;
  if (!room.takes(steps)) return 'full';
  one.totals = totals;
  return steps;
}

function tellFinding(one: Applicant, room: Room): number | 'none' | 'full' {
  if (one.totals?.findingsTotal === undefined) return 'none';
  one.drafts ??= one.draft.findings();
  const next = one.drafts[one.findings.length];
  if (next === undefined) return 'none';
  const finding = worded(next);
  const size = sizeOf(finding) + commaBytes;
  if (!room.takes(size)) return 'full';
  one.findings.push(finding);
  return size;
}

/** What comes after the first thing that does not fit is not served before it. */
class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  takes(size: number): boolean {
    if (size > this.#left) return false;
    this.#left -= size;
    return true;
  }
}

function sharesOf(namespaces: ReadonlyMap<string, readonly Applicant[]>): Share<Applicant> {
  const sharesIn = (all: readonly Applicant[]) =>
    [...all].sort((a, b) => oldestFirst(a.draft.record, b.draft.record)).map((one) => Share.ofOne(one));
  const ofNamespaces = [...namespaces]
    .filter(([namespace]) => namespace !== '')
    .map(([, all]) => Share.ofMany(sharesIn(all)));
  return Share.ofMany([Share.ofMany(sharesIn(namespaces.get('') ?? [])), Share.ofMany(ofNamespaces)]);
}

/** How many findings a report with room for everything lists. */
function listedOf({ findingsTotal = 0 }: Pick<NodePolicyReport, 'findingsTotal'>): number {
  return Math.min(findingLimit, findingsTotal);
}

/** Whether a report had no room for findings that it would list. */
export function wasCut(report: NodePolicyReport | undefined): boolean {
  return report !== undefined && (report.findings?.length ?? 0) < listedOf(report);
}

function reportOf({ totals, findings }: Applicant): NodePolicyReport[] {
  if (totals === undefined) return [];
  const { findingsTotal, ...rest } = totals;
  return [
    {
      ...rest,
      ...(findings.length === 0 ? {} : { findings }),
      ...(findingsTotal === undefined ? {} : { findingsTotal }),
    },
  ];
}

function shortening(namespace: string, all: readonly Applicant[], leftOut: number) {
  return { ...(namespace === '' ? {} : { namespace }), policies: all.length, leftOut };
}

/** Of a node in whose report there was not room for all of a policy. Its counts are rounded, or each policy that comes would change the status of all. */
export function tooLongFindings(
  { kind, namespace }: Pick<PolicyRecord, 'kind' | 'namespace'>,
  node: string,
  shortened: ShortenedReport | undefined,
): Finding[] {
  if (shortened === undefined) return [];
  const { policies, leftOut } = shortened;
  const whose = kind === 'KeepalivePolicy' ? `namespace ${namespace} has` : 'the cluster has';
  const what = kind === 'KeepalivePolicy' ? 'policies' : 'cluster policies';
  const lacking =
    leftOut === 0
      ? 'not all findings are listed (findingsTotal counts them)'
      : 'the newest are left out, and of some others not all findings are listed; all of them act';
  return [
    {
      ...{ reason: 'ReportTooLong', node },
      message:
        `${whose} ${roundly(policies)} ${what} that select something on this node, more than there is room for in its report ` +
        `(${reportBytes / 1024} KiB, shared alike with others): ${lacking}. Say in fewer policies what these say`,
    },
  ];
}

/** 1, 2, 5, 10, 20, 50… or more. */
function roundly(count: number): string {
  const digits = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  const rounded = [5, 2, 1].map((factor) => factor * digits).find((one) => one <= count) ?? count;
  return rounded === count ? `${count}` : `more than ${rounded}`;
}
