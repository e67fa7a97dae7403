import type { Triple, TripleKey } from '../api/triple.ts';
import { kernelDefaults, tripleKeys } from '../api/triple.ts';
import type { Requirement } from './requirement.ts';
import type { Sysctl } from './sysctl.ts';
import { entryOf, plainInteger } from './sysctl.ts';

/** What stands in an annotation for a value that nobody declared, and for one that only the kernel can read. */
export const none = '-';
export const unreadable = '?';

const number = plainInteger.source.slice(1, -1);
/** `90/30/10/-`: the timeout, the time and the interval that are asked for, and the declared probes. */
export const requirementPattern = new RegExp(
  '^[1-9][0-9]{0,5}([/][1-9][0-9]{0,5}){2}[/](-|[1-9][0-9]{0,5})$',
);
/** `600/-/?`: time, interval and probes as the pod's own spec had them. */
export const ownValuesPattern = new RegExp(`^(-|[?]|${number})([/](-|[?]|${number})){2}$`);

export function requirementText(requirement: Requirement): string {
  const { idleTimeoutSeconds, timeSeconds, intervalSeconds, declared } = requirement;
  return [idleTimeoutSeconds, timeSeconds, intervalSeconds, declared.probes ?? none].join('/');
}

/**
 * Without a declared time and interval, which a note does not tell from derived ones: a pod that is only noted was below them, and
 * one that was changed is amended again by whoever comes after.
 */
export function parseRequirement(text: string | undefined): Requirement | undefined {
  if (text === undefined || !requirementPattern.test(text)) return undefined;
  const [timeout, time, interval, probes] = text.split('/');
  return {
    idleTimeoutSeconds: Number(timeout),
    timeSeconds: Number(time),
    intervalSeconds: Number(interval),
    declared: probes === none ? {} : { probes: Number(probes) },
  };
}

export function ownValuesText(sysctls: readonly Sysctl[]): string {
  return tripleKeys.map((key) => ownTextOf(sysctls, key)).join('/');
}

/** What counts of one key. */
export function ownTextOf(sysctls: readonly Sysctl[], key: TripleKey): string {
  const entry = entryOf(sysctls, key);
  if (entry === undefined) return none;
  return plainInteger.test(entry.value) ? entry.value : unreadable;
}

/** As it was written, key by key; undefined where it says nothing that can be understood. */
export function parseOwnTexts(text: string | undefined): Record<TripleKey, string> | undefined {
  if (text === undefined || !ownValuesPattern.test(text)) return undefined;
  const [timeSeconds = none, intervalSeconds = none, probes = none] = text.split('/');
  return { timeSeconds, intervalSeconds, probes };
}

/** Undefined where it says nothing that can be understood. */
export function parseOwnValues(text: string | undefined): Partial<Triple> | undefined {
  const texts = parseOwnTexts(text);
  if (texts === undefined) return undefined;
  const values = tripleKeys.flatMap((key) => {
    if (texts[key] === unreadable) return [];
    return [[key, texts[key] === none ? kernelDefaults[key] : Number(texts[key])] as const];
  });
  return Object.fromEntries(values);
}
