import { fittingBounds } from '../api/derive.ts';
import type { Hop } from '../api/hop.ts';
import type { Keepalive } from '../api/keepalive.ts';
import { presets } from '../api/presets.ts';
import { shortestHop } from '../api/resolved-hop.ts';
import type { Effective } from '../api/status.ts';
import { giveUpSeconds, kernelDefaults, latestSecondProbe, secondProbeSeconds } from '../api/triple.ts';
import { warnings } from '../api/warning.ts';
import { isEnough } from '../policy/enough.ts';
import { deriveEffective } from '../policy/effective.ts';
import { givesUpEarly } from '../policy/patience.ts';
import { proxyFinding } from '../policy/proxy.ts';

/** What follows from a path, for people without Kubernetes as much as with it. */
export interface Derivation {
  readonly effective: Effective;
  /** Why each value is what it is. */
  readonly why: Readonly<Record<keyof typeof kernelDefaults, string>>;
  /** What can go wrong, and what a program and a person see of it. */
  readonly failures: readonly Failure[];
  /** What is not covered by the values, or most likely not meant. */
  readonly notes: readonly string[];
}

interface Failure {
  readonly when: string;
  readonly then: string;
}

/** `undefined` where no hop follows packets. */
export function derivationOf(path: readonly Hop[], declared: Keepalive): Derivation | undefined {
  const effective = deriveEffective(path, declared);
  if (effective === undefined) return undefined;
  return {
    effective,
    why: {
      timeSeconds: whyTime(effective),
      intervalSeconds: whyInterval(effective),
      probes: whyProbes(effective),
    },
    failures: failuresOf(effective, afterOf(path)),
    notes: notesOf(path, effective),
  };
}

function whyTime({ idleTimeoutSeconds: limit, timeSeconds, declared }: Effective): string {
  if (declared?.timeSeconds !== undefined) return 'as declared';
  if (timeSeconds === Math.floor(limit / 3))
    return `a third of ${limit} s${limit % 3 ? ', rounded down' : ''}`;
  if (timeSeconds === kernelDefaults.timeSeconds) return "the kernel's own: nothing is ever made longer";
  return `as long as leaves room for a second probe before ${limit} s`;
}

function whyInterval({
  idleTimeoutSeconds: limit,
  timeSeconds,
  intervalSeconds,
  declared,
}: Effective): string {
  if (declared?.intervalSeconds !== undefined) return 'as declared';
  const rest = limit - timeSeconds;
  const parts = declared?.probes ?? 6;
  if (intervalSeconds === Math.ceil(rest / parts)) {
    const part = declared?.probes === undefined ? 'a sixth' : `one of ${parts} parts`;
    return `${part} of the ${rest} s that are left${rest % parts ? ', rounded up' : ''}`;
  }
  if (intervalSeconds === kernelDefaults.intervalSeconds)
    return "the kernel's own: nothing is ever made longer";
  return `as long as keeps the second probe before ${limit} s`;
}

function whyProbes(effective: Effective): string {
  const { idleTimeoutSeconds: limit, timeSeconds, intervalSeconds, probes, declared } = effective;
  const givesUp = giveUpSeconds(effective);
  const sum = `${timeSeconds} + ${probes} x ${intervalSeconds} = ${givesUp} s`;
  if (declared?.probes !== undefined) return `as declared: a silent peer is given up after ${sum}`;
  if (givesUp < limit)
    return `the kernel's own, and nothing is ever made longer: a silent peer is given up after ${sum}`;
  if (givesUp - intervalSeconds >= limit)
    return `so that ${probes > 2 ? 'several' : 'one'} may get lost: a silent peer is given up after ${sum}`;
  return `as many as it takes to give a silent peer up no sooner than ${limit} s: ${sum}`;
}

/** How many probes are due before the path forgets, where the kernel's timer is as late as it may be. */
function probesInTime({ idleTimeoutSeconds, timeSeconds, intervalSeconds, probes }: Effective): number {
  const room = latestSecondProbe(idleTimeoutSeconds) - timeSeconds;
  return Math.min(probes, 1 + Math.max(0, Math.floor(room / intervalSeconds)));
}

function failuresOf(effective: Effective, after: string): Failure[] {
  const { idleTimeoutSeconds: limit, limitedBy, timeSeconds } = effective;
  const inTime = probesInTime(effective);
  const givesUp = giveUpSeconds(effective);
  return [
    {
      when: 'probes get lost',
      then:
        inTime > 1
          ? `${inTime - 1} may: ${inTime} are due before ${limitedBy} forgets at ${limit} s, the second after ${secondProbeSeconds(effective)} s of silence`
          : `none may: there is room for a single probe before ${limitedBy} forgets at ${limit} s`,
    },
    {
      when: 'the peer is gone without a word (its power, its network)',
      then: `the connection ends ${givesUp} s after the last packet: ETIMEDOUT (errno 110)`,
    },
    {
      when: `${limitedBy} forgets all the same (it restarts, it fails over, its table is full)`,
      then:
        `the next probe finds out, ${timeSeconds} s after the last packet at most: ECONNRESET (errno 104) where something answers, ` +
        `else ETIMEDOUT (errno 110) after ${givesUp} s`,
    },
    {
      when: 'a program never asks for keepalive (SO_KEEPALIVE), or sets longer values itself',
      then: `the values do nothing for its connections: after ${limit} s of silence the next packet meets ${after}`,
    },
    withoutValues(limit, after),
  ];
}

function withoutValues(limit: number, after: string): Failure {
  const { timeSeconds, intervalSeconds, probes } = kernelDefaults;
  return {
    when: `nothing is set: the kernel has ${timeSeconds}/${intervalSeconds}/${probes}`,
    then: isEnough(kernelDefaults, limit)
      ? `that is enough behind ${limit} s, for programs that ask for keepalive`
      : `the first probe comes after ${timeSeconds} s and is too late: the next packet meets ${after}`,
  };
}

/** What a packet meets that comes later, as far as the source of a preset says. */
function afterOf(path: readonly Hop[]): string {
  const name = shortestHop(path)?.name;
  const binding = path.find((hop) => (hop.name ?? hop.preset) === name);
  const told = binding?.preset === undefined ? undefined : presets[binding.preset].after;
  return (
    told ??
    'an RST (ECONNRESET, errno 104) or nothing at all (ETIMEDOUT, errno 110, after a quarter of an hour)'
  );
}

function notesOf(path: readonly Hop[], effective: Effective): string[] {
  const hops = [...path];
  return [
    ...hops.flatMap((hop) => proxyFinding(hop)?.message ?? []),
    ...warnings.KeepalivePolicy.flatMap(({ told }) => told({ ...suspicious, path: hops }) ?? []),
    ...[givesUpEarly(effective)?.message ?? []].flat(),
  ];
}

const suspicious = { podSelector: {}, mode: 'Enforce', openConnections: 'Repair' } as const;

/** Which of the declared values cannot stand behind this timeout, since no second probe would fit. */
export function isTooLate(idleTimeoutSeconds: number, declared: Keepalive): boolean {
  const { probes = 2 } = declared;
  const fitting = fittingBounds(idleTimeoutSeconds, declared);
  return probes < 2 || Object.keys(fitting).length < Object.keys(declared).length;
}
