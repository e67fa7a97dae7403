import { runOrThrow } from '../../test/cluster/command.ts';
import { goTool } from '../../test/support/go-tool.ts';

export const craneProgram = () => goTool('crane', 'github.com/google/go-containerregistry/cmd/crane');

/** Puts what an OCI layout names into a registry, as REGISTRY/NAME:TAG; who may do that is in Docker's config.json. */
export async function push(layout: string, name: string): Promise<void> {
  await runOrThrow([await craneProgram(), 'push', layout, name], { env: process.env });
}
