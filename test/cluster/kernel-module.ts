import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Module {
  readonly name: string;
  readonly content: Buffer;
}

/** These modules and all that they need, in the order in which they can be loaded; found below a folder. */
export function loadOrder(folder: string, names: readonly string[]): Module[] {
  const files = globSync(join(folder, '**/*.ko{,.xz}'));
  const found = new Map(files.map((file) => [moduleName(basename(file).replace(/\.ko.*/, '')), file]));
  const wanted = new Map<string, Module>();
  const want = (name: string) => {
    if (wanted.has(name)) return;
    const file = found.get(name);
    if (file === undefined) throw new Error(`there is no kernel module ${name} in ${folder}`);
    const content = contentOf(file);
    needsOf(content).forEach(want);
    wanted.set(name, { name, content });
  };
  names.forEach(want);
  return [...wanted.values()];
}

/** Debian packs them since 13. */
function contentOf(file: string): Buffer {
  if (!file.endsWith('.xz')) return readFileSync(file);
  return execFileSync('busybox', ['unxz', '-c', file], { maxBuffer: 2 ** 27 });
}

/** What a module says of itself: `depends=` in its section .modinfo. */
function needsOf(content: Buffer): string[] {
  const depends = /\0depends=([^\0]*)\0/.exec(content.toString('latin1'))?.[1] ?? '';
  return depends
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}
