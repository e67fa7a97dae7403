import type { Triple, TripleKey } from '../api/triple.ts';
import { kernelDefaults, tripleKeys, tripleOf } from '../api/triple.ts';

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
} as const satisfies Record<TripleKey, string>;

/**
 * A value that means the same to us, to CEL and to the kernel. The kernel also reads 010 as octal and
 * 0x10 as hexadecimal: whatever is spelled otherwise is left to it.
 */
export const plainInteger = /^(0|[1-9][0-9]{0,9})$/;

/** Kubernetes takes net/ipv4/… for net.ipv4.…; both are the same key to the kernel. */
function nameOf({ name }: Sysctl): string {
  return name.replaceAll('/', '.');
}

/** Which of the three it sets, if any. */
export function keyOf(entry: Sysctl): TripleKey | undefined {
  return tripleKeys.find((key) => sysctlNames[key] === nameOf(entry));
}

function valueOf({ value }: Sysctl): number | undefined {
  return plainInteger.test(value) ? Number(value) : undefined;
}

/**
 * The entry that counts. Of a key that is named twice, dotted and with slashes, the kubelet takes the last
 * (pkg/kubelet/sysctl/util.go: it makes a map of them).
 */
export function entryOf(sysctls: readonly Sysctl[], key: TripleKey): Sysctl | undefined {
  return sysctls.findLast((entry) => keyOf(entry) === key);
}

/**
 * What the sysctls of a pod say, key by key: the kernel's default where a key is not named; nothing where only the
 * kernel can read the value.
 */
export function valuesOf(sysctls: readonly Sysctl[] = []): Partial<Triple> {
  const read = (key: TripleKey): number | undefined => {
    const entry = entryOf(sysctls, key);
    return entry === undefined ? kernelDefaults[key] : valueOf(entry);
  };
  return Object.fromEntries(
    tripleKeys.flatMap((key) => {
      const value = read(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** The values that a pod with these sysctls starts with; undefined where one of them only the kernel can read. */
export function declaredTriple(sysctls: readonly Sysctl[] = []): Triple | undefined {
  return tripleOf(valuesOf(sysctls));
}

/**
 * The sysctls of a pod with these values. Every spelling of a key is set, missing ones are added; a value that only the
 * kernel can read and every other sysctl stays, and so does the order.
 */
export function mergeSysctls(have: readonly Sysctl[], values: Triple): readonly Sysctl[] {
  const set = have.map((entry) => {
    const key = keyOf(entry);
    return key === undefined || valueOf(entry) === undefined
      ? entry
      : { name: entry.name, value: String(values[key]) };
  });
  const added = tripleKeys
    .filter((key) => !have.some((entry) => keyOf(entry) === key))
    .map((key) => ({ name: sysctlNames[key], value: String(values[key]) }));
  return [...set, ...added];
}
