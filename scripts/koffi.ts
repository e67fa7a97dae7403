import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import lock from '../package-lock.json' with { type: 'json' };

export interface KoffiOptions {
  readonly root: string;
  readonly outdir: string;
  /** Beside the one of this machine, as Node calls them: `arm64`. */
  readonly architectures: readonly string[];
}

type Locked = Readonly<
  Record<string, { readonly version?: string; readonly integrity?: string } | undefined>
>;

/** koffi stays outside of the bundle: its program part is a file of its own for each architecture. */
export async function copyKoffi({ root, outdir, architectures }: KoffiOptions): Promise<void> {
  const modules = join(root, 'node_modules');
  const target = join(outdir, 'node_modules');
  for (const part of [
    'package.json',
    'index.js',
    'LICENSE.txt',
    'src/koffi/index.js',
    'src/koffi/src/static.js',
  ])
    await cp(join(modules, 'koffi', part), join(target, 'koffi', part));
  await cp(join(modules, '@koromix'), join(target, '@koromix'), { recursive: true });
  for (const architecture of architectures.filter((one) => one !== process.arch))
    await fetchPart(`@koromix/koffi-linux-${architecture}`, target);
}

/** npm installs only what runs on this machine; the lock file knows what the others must be. */
async function fetchPart(name: string, target: string): Promise<void> {
  const locked = (lock.packages as Locked)[`node_modules/${name}`];
  if (locked?.version === undefined) throw new Error(`koffi has no part for that architecture: ${name}`);
  const folder = await mkdtemp(join(tmpdir(), 'keepalive-build-'));
  try {
    const packed = execFileSync('npm', ['pack', `${name}@${locked.version}`, '--json', '--prefer-offline'], {
      ...{ cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    });
    const described = JSON.parse(packed) as unknown;
    const [{ filename, integrity }] = Object.values(described as object) as [Record<string, string>];
    if (integrity !== locked.integrity) throw new Error(`${name} is not what package-lock.json says`);
    await mkdir(join(target, name), { recursive: true });
    execFileSync('tar', [
      '-xzf',
      join(folder, filename ?? ''),
      '--strip-components=1',
      '-C',
      join(target, name),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
