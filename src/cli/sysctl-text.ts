import type { Pair, YAMLMap } from 'yaml';
import { isScalar, isSeq } from 'yaml';

import type { Sysctl } from '../policy/sysctl.ts';
import { columnOf, startOf } from './node-place.ts';

/** How a manifest is written around the place where something is put in. */
export interface Style {
  readonly text: string;
  readonly newline: string;
  /** Spaces by which a block is further in than its key. */
  readonly step: number;
  /** Spaces by which the dash of a list is further in than its key. */
  readonly dash: number;
  readonly json: boolean;
}

export function styleOf(text: string, pair: Pair): Style {
  const spec = pair.value as YAMLMap;
  const step = columnOf(text, startOf(spec.items[0]?.key)) - columnOf(text, startOf(pair.key));
  return {
    text,
    newline: text.includes('\r\n') ? '\r\n' : '\n',
    step: spec.flow ? 2 : Math.max(1, step),
    dash: dashIn(text, spec),
    json: isScalar(pair.key) && pair.key.type === 'QUOTE_DOUBLE',
  };
}

/** As the first list of the spec has it: a block list starts with its first dash. */
function dashIn(text: string, spec: YAMLMap): number {
  for (const { key, value } of spec.items)
    if (isSeq(value) && !value.flow && value.items.length > 0)
      return Math.max(0, columnOf(text, startOf(value)) - columnOf(text, startOf(key)));
  return 0;
}

/** `[{ name: …, value: "30" }, …]` below the keys, each in braces but for the first. */
export function flowText(keys: readonly string[], sysctls: readonly Sysctl[], { json }: Style): string {
  const list = json ? JSON.stringify(sysctls) : `[${flowEntries(sysctls)}]`;
  return keys.reduceRight((inner, key, at) => {
    const pair = `${json ? JSON.stringify(key) : key}: ${inner}`;
    return at === 0 ? pair : `{ ${pair} }`;
  }, list);
}

function flowEntries(sysctls: readonly Sysctl[]): string {
  return sysctls.map(({ name, value }) => `{ name: ${name}, value: "${value}" }`).join(', ');
}

export function flowItems(sysctls: readonly Sysctl[], { json }: Style): string {
  return json ? JSON.stringify(sysctls).slice(1, -1) : flowEntries(sysctls);
}

/** The keys on lines of their own, each further in than the one before, and the list below. */
export function blockLines(
  keys: readonly string[],
  sysctls: readonly Sysctl[],
  { indent, style }: { readonly indent: number; readonly style: Style },
): string[] {
  const [key, ...rest] = keys;
  const margin = ' '.repeat(indent);
  if (key === undefined)
    return sysctls.flatMap(({ name, value }) => [`${margin}- name: ${name}`, `${margin}  value: "${value}"`]);
  const below = indent + (rest.length === 0 ? style.dash : style.step);
  return [`${margin}${key}:`, ...blockLines(rest, sysctls, { indent: below, style })];
}
