import type { Metafile } from 'esbuild';

/**
 * The packages of which something stands in what was bundled, each as package-lock.json names its folder: inside of a bundle nobody else
 * can tell them.
 */
export function bundledPackages(bundles: readonly Pick<Metafile, 'outputs'>[]): string[] {
  const inputs = bundles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((one) => Object.entries(one.inputs)),
  );
  const folders = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)].sort();
}
