import { parseAllDocuments } from 'yaml';

import type { Manifest } from './manifest.ts';

/** Objects, read as strictly as an API server that applies them: throws where a key, or a variable of a container, is there twice. */
export function strictly(text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    const object = document.toJS() as Manifest | null;
    if (object === null) return [];
    assertVariablesOnce(object);
    return [object];
  });
}

export interface Variable {
  readonly name: string;
  readonly value?: unknown;
}

/** Of all containers of an object that has a template of pods. */
export function variablesOf(object: Manifest): readonly Variable[] {
  const { spec } = object as { spec?: { template?: { spec?: { containers?: { env?: Variable[] }[] } } } };
  return spec?.template?.spec?.containers?.flatMap(({ env = [] }) => env) ?? [];
}

function assertVariablesOnce(object: Manifest): void {
  const names = variablesOf(object).map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`${object.kind} ${object.metadata.name} has ${twice} twice`);
}

/** Each text, number and switch that an object holds, by the way to it. */
export function scalarsIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(scalarsIn);
}
