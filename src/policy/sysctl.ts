import { kernelDefaults } from '../api/keepalive.ts';
import type { Triple } from './derive.ts';

/** One entry of a pod's spec.securityContext.sysctls. */
export interface Sysctl {
  readonly name: string;
  readonly value: string;
}

/** The names say ipv4; the values count for TCP over IPv6 too (Linux net/ipv4/tcp_timer.c serves both). */
export const sysctlNames = {
  timeSeconds: 'net.ipv4.tcp_keepalive_time',
  intervalSeconds: 'net.ipv4.tcp_keepalive_intvl',
  probes: 'net.ipv4.tcp_keepalive_probes',
} as const satisfies Record<keyof Triple, string>;

const keys = Object.keys(sysctlNames) as (keyof Triple)[];

/**
 * A value that means the same to us, to CEL and to the kernel. The kernel also reads 010 as octal and
 * 0x10 as hexadecimal: whatever is spelled otherwise is left to it.
 */
export const plainInteger = /^(0|[1-9][0-9]{0,9})$/;

/** Kubernetes takes net/ipv4/… for net.ipv4.…; both are the same key to the kernel. */
function nameOf({ name }: Sysctl): string {
  return name.replaceAll('/', '.');
}

function valueOf({ value }: Sysctl): number | undefined {
  return plainInteger.test(value) ? Number(value) : undefined;
}

/**
 * The sysctls of a pod with the wanted values merged in, key by key: a looser value is replaced, a missing
 * one is added, a tighter or unreadable one and every other sysctl stays. The order of what was there stays.
 */
export function mergeSysctls(have: readonly Sysctl[], wanted: Triple): Sysctl[] {
  const wantedOf = (entry: Sysctl) => keys.find((key) => sysctlNames[key] === nameOf(entry));
  const tightened = have.map((entry) => {
    const key = wantedOf(entry);
    const value = valueOf(entry);
    if (key === undefined || value === undefined || value <= wanted[key]) return entry;
    return { name: entry.name, value: String(wanted[key]) };
  });
  const added = keys
    .filter((key) => !have.some((entry) => wantedOf(entry) === key))
    .map((key) => ({ name: sysctlNames[key], value: String(wanted[key]) }));
  return [...tightened, ...added];
}

/**
 * The values that a pod with these sysctls starts with: the kernel's own where it declares none.
 * `undefined` where one cannot be read, or is 0, which no keepalive works with.
 */
export function declaredTriple(sysctls: readonly Sysctl[] = []): Triple | undefined {
  const read = (key: keyof Triple): number | undefined => {
    const entry = sysctls.find((candidate) => nameOf(candidate) === sysctlNames[key]);
    return entry === undefined ? kernelDefaults[key] : valueOf(entry);
  };
  const timeSeconds = read('timeSeconds');
  const intervalSeconds = read('intervalSeconds');
  const probes = read('probes');
  return timeSeconds && intervalSeconds && probes ? { timeSeconds, intervalSeconds, probes } : undefined;
}
