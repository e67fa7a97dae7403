import type { Path } from '../api/schema-node.ts';
import { fieldText, isObject } from '../api/schema-node.ts';

/** What stands in a template where a pod has something else. */
export interface Misfit {
  readonly path: Path;
  readonly message: string;
}

type Shape =
  | { readonly is: 'text' | 'flag' | 'plain' }
  | { readonly is: 'list' | 'map'; readonly of: Shape }
  | { readonly is: 'fields'; readonly fields: Readonly<Record<string, Shape>>; readonly needs?: string };

const text: Shape = { is: 'text' };
const listOf = (of: Shape): Shape => ({ is: 'list', of });
const mapOf = (of: Shape): Shape => ({ is: 'map', of });
const fields = (all: Readonly<Record<string, Shape>>, needs?: string): Shape =>
  needs === undefined ? { is: 'fields', fields: all } : { is: 'fields', fields: all, needs };

const requirements = listOf(fields({ key: text, operator: text, values: listOf(text) }));
const terms = listOf(fields({ matchExpressions: requirements, matchFields: requirements }));
const required = fields({ nodeSelectorTerms: terms });

/** All of a template that a decision can depend on: RawPod. A value of a sysctl that is no text has a remark of its own. */
const shape = fields({
  metadata: fields({ labels: mapOf(text), annotations: mapOf(text) }),
  spec: fields({
    nodeName: text,
    os: fields({ name: text }),
    nodeSelector: mapOf(text),
    tolerations: listOf(fields({ key: text, operator: text, value: text })),
    affinity: fields({
      nodeAffinity: fields({ requiredDuringSchedulingIgnoredDuringExecution: required }),
    }),
    hostNetwork: { is: 'flag' },
    runtimeClassName: text,
    securityContext: fields({ sysctls: listOf(fields({ name: text, value: { is: 'plain' } }, 'name')) }),
  }),
});

interface Fitted {
  /** Without what does not fit. */
  readonly value: unknown;
  readonly misfits: readonly Misfit[];
}

/** The template at a path, as a pod: whatever reads it then need not ask what anything is. */
export function fitted(template: unknown, path: Path): Fitted {
  return fit(shape, template, path);
}

function fit(wanted: Shape, value: unknown, path: Path): Fitted {
  if (!isOf(wanted, value))
    return misfit(path, `is ${nameOf(value)}, and has to be ${wordFor(wanted, value)}`);
  if (Array.isArray(value)) return fitList(wanted, value, path);
  if (!isObject(value)) return { value, misfits: [] };
  const needs = wanted.is === 'fields' ? wanted.needs : undefined;
  if (needs !== undefined && value[needs] === undefined) return misfit([...path, needs], 'is missing');
  const members = Object.entries(value).map(([key, member]) => {
    const below = memberOf(wanted, key);
    return [
      key,
      below === undefined ? { value: member, misfits: [] } : fit(below, member, [...path, key]),
    ] as const;
  });
  return {
    value: Object.fromEntries(
      members.flatMap(([key, { value: fine }]) => (fine === undefined ? [] : [[key, fine]])),
    ),
    misfits: members.flatMap(([, { misfits }]) => misfits),
  };
}

/** Of an item that does not fit nothing is left: half a requirement asks for something else. */
function fitList(wanted: Shape, list: readonly unknown[], path: Path): Fitted {
  const below = memberOf(wanted, '');
  const items = list.map((item, at) =>
    below === undefined ? { value: item, misfits: [] } : fit(below, item, [...path, at]),
  );
  return {
    value: items.flatMap(({ value, misfits }) => (misfits.length === 0 ? [value] : [])),
    misfits: items.flatMap(({ misfits }) => misfits),
  };
}

function memberOf(wanted: Shape, key: string): Shape | undefined {
  if (wanted.is === 'list' || wanted.is === 'map') return wanted.of;
  return wanted.is === 'fields' && Object.hasOwn(wanted.fields, key) ? wanted.fields[key] : undefined;
}

function misfit(path: Path, words: string): Fitted {
  const message = `its shape is not that of a pod: ${fieldText(path)} ${words}`;
  return { value: undefined, misfits: [{ path, message }] };
}

function isOf({ is }: Shape, value: unknown): boolean {
  switch (is) {
    case 'text':
      return typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean';
    case 'plain':
      return ['string', 'number', 'boolean'].includes(typeof value);
    case 'list':
      return Array.isArray(value);
    case 'map':
    case 'fields':
      return isObject(value);
  }
}

const names: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

function nameOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return names[typeof value] ?? 'a map';
}

function wordFor({ is }: Shape, value: unknown): string {
  switch (is) {
    case 'text':
      return `a text${typeof value === 'object' ? '' : ': write it in quotes'}`;
    case 'plain':
      return 'a text';
    case 'flag':
      return `true or false${typeof value === 'string' ? ', without quotes' : ''}`;
    case 'list':
      return 'a list';
    case 'map':
    case 'fields':
      return 'a map';
  }
}
