import { run, runOrThrow } from '../../test/cluster/command.ts';
import { goTool } from '../../test/support/go-tool.ts';
import type { Pushable } from './make.ts';
import type { Signer } from './signer.ts';
import { digestTold, holdTag } from './tag.ts';

export const craneProgram = () => goTool('crane', 'github.com/google/go-containerregistry/cmd/crane');

/** Throws where one of the tags names something else already; all are asked for before the first is pushed. */
export async function holdTags(made: readonly Pushable[]): Promise<void> {
  const crane = await craneProgram();
  for (const one of made) {
    const name = `${one.repository}:${one.tag}`;
    holdTag(one, digestTold(await run([crane, 'digest', name], { env: process.env })));
  }
}

/** Puts what an OCI layout names into a registry, and what says who made it; who may do that is in Docker's config.json. */
export async function push(made: Pushable, signer: Signer | undefined): Promise<void> {
  const { layout, repository, tag, digest, sboms } = made;
  await runOrThrow([await craneProgram(), 'push', layout, `${repository}:${tag}`], { env: process.env });
  await signer?.sign(`${repository}@${digest}`);
  for (const sbom of sboms) await signer?.attest(`${repository}@${sbom.digest}`, sbom.file);
}
