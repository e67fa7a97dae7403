import { readFileSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';

import { isObject, textOf } from '../api/schema-node.ts';
import { withTokenFile } from './kubeconfig-user.ts';
import { CommandError } from './terminal.ts';
import { parseYaml, plainOf } from './yaml-text.ts';

type Fields = Readonly<Record<string, unknown>>;
export type EntryKind = 'cluster' | 'user' | 'context';

/** What kubeconfig files say, by name: also what is not whole, which only matters where it is chosen. */
export interface Entries extends Readonly<Record<EntryKind, ReadonlyMap<string, Fields>>> {
  /** Empty where none is named. */
  readonly currentContext: string;
}

/** Of one file; none of an empty one, as kubectl has it. */
export function readEntries(file: string): Entries {
  try {
    return entriesIn(readFileSync(file, 'utf8'), dirname(resolve(file)));
  } catch (error) {
    throw new CommandError(`${file} cannot be read as a kubeconfig: ${(error as Error).message}`);
  }
}

function entriesIn(text: string, folder: string): Entries {
  const [document] = parseYaml(text).documents;
  const { object = null, problem } = document === undefined ? {} : plainOf(document);
  if (problem !== undefined) throw new Error(problem.message);
  if (object !== null && !isObject(object)) throw new Error('it is no map');
  const fields = object ?? {};
  return {
    cluster: named(fields.clusters, 'cluster', (one) => withFiles(one, ['certificate-authority'], folder)),
    user: named(fields.users, 'user', (one) => completeUser(one, folder)),
    context: named(fields.contexts, 'context', (one) => one),
    currentContext: textOf(fields['current-context']),
  };
}

function named(list: unknown, kind: EntryKind, complete: (one: Fields) => Fields): Map<string, Fields> {
  const entries = Array.isArray(list) ? list.filter(isObject) : [];
  return firstOfEach(
    entries.map((entry) => {
      const one = entry[kind];
      return [textOf(entry.name), complete(isObject(one) ? one : {})] as const;
    }),
  );
}

function completeUser(user: Fields, folder: string): Fields {
  const complete = withFiles(user, ['client-certificate', 'client-key', 'tokenFile'], folder);
  const { exec } = user;
  // One without a separator is looked for along PATH.
  const isPath = isObject(exec) && textOf(exec.command).includes(sep);
  return withTokenFile({ ...complete, exec: isPath ? withFiles(exec, ['command'], folder) : exec });
}

/** A file is named from the folder of its kubeconfig, and what is written out goes before it. */
function withFiles(one: Fields, keys: readonly string[], folder: string): Fields {
  const complete: Record<string, unknown> = { ...one };
  for (const key of keys) {
    const file = textOf(one[key]);
    if (file !== '') complete[key] = textOf(one[`${key}-data`]) === '' ? resolve(folder, file) : undefined;
  }
  return complete;
}

/** As kubectl has it (k8s.io/client-go, tools/clientcmd/loader.go): of each name the first. */
export function merged(all: readonly Entries[]): Entries {
  const of = (kind: EntryKind) => firstOfEach(all.flatMap((one) => [...one[kind]]));
  return {
    cluster: of('cluster'),
    user: of('user'),
    context: of('context'),
    currentContext: all.map((one) => one.currentContext).find(Boolean) ?? '',
  };
}

function firstOfEach(list: readonly (readonly [string, Fields])[]): Map<string, Fields> {
  const first = new Map<string, Fields>();
  for (const [name, one] of list) if (name !== '' && !first.has(name)) first.set(name, one);
  return first;
}
