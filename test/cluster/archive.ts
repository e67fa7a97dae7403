/** What an archive of an image says of itself. */
import type { Architecture } from '../../scripts/release/architecture.ts';
import { run } from './command.ts';

interface Named {
  readonly digest: string;
}

/** Part of what such an archive has as JSON: an index, a manifest or a configuration. */
interface Described {
  readonly manifests?: readonly Named[];
  readonly config?: Named;
  readonly architecture?: string;
}

/** For which machines an OCI or docker archive is; for several where it has an image for each. */
export async function architecturesIn(archive: string): Promise<ReadonlySet<string>> {
  const index = await read<Described>(archive, 'index.json');
  if (index !== undefined) return new Set(await below(archive, index));
  const listed = await read<{ Config: string }[]>(archive, 'manifest.json');
  if (listed === undefined)
    throw new Error(`${archive} is no archive of an image, neither of OCI nor of docker`);
  const described = await Promise.all(listed.map(({ Config }) => read<Described>(archive, Config)));
  return new Set(described.flatMap((one) => one?.architecture ?? []));
}

/** Those that this machine can run. */
export async function archivesFor(
  architecture: Architecture,
  archives: readonly string[],
): Promise<string[]> {
  const made = await Promise.all(archives.map(architecturesIn));
  return archives.filter((_, at) => made[at]?.has(architecture));
}

async function below(
  archive: string,
  { manifests = [], config, architecture }: Described,
): Promise<string[]> {
  if (architecture !== undefined) return [architecture];
  const named = config === undefined ? manifests : [config];
  const described = await Promise.all(
    named.map(({ digest }) => read<Described>(archive, `blobs/${digest.replace(':', '/')}`)),
  );
  return (await Promise.all(described.map((one) => below(archive, one ?? {})))).flat();
}

async function read<T>(archive: string, path: string): Promise<T | undefined> {
  const { stdout, code } = await run(['tar', '--extract', '--to-stdout', '--file', archive, path]);
  return code === 0 ? (JSON.parse(stdout) as T) : undefined;
}
