import { join } from 'node:path';

import { run } from '../cluster/command.ts';
import { goTool } from './go-tool.ts';
import { kindSchemas, schemaLocation } from './kind-schemas.ts';

export const kubeconformProgram = () => goTool('kubeconform', 'github.com/yannh/kubeconform/cmd/kubeconform');

interface Judged {
  readonly kind: string;
  readonly name: string;
  readonly status: string;
  readonly msg: string;
}

/** What kubeconform says of each object of a text, by the schemas of that Kubernetes: a field that nobody knows is wrong too. */
export async function conformity(text: string, kubernetes: string): Promise<Judged[]> {
  const schemas = join(await kindSchemas(kubernetes), schemaLocation);
  const argv = [await kubeconformProgram(), '-strict', '-output', 'json', '-verbose'];
  const { stdout, stderr } = await run([...argv, '-schema-location', schemas, '-'], { stdin: text });
  if (!stdout.startsWith('{')) throw new Error(stderr.trim() || 'kubeconform said nothing');
  return (JSON.parse(stdout) as { resources: Judged[] }).resources;
}

export function faultsOf(judged: readonly Judged[]): string[] {
  return judged
    .filter(({ status }) => status !== 'statusValid')
    .map(({ kind, name, msg }) => `${kind} ${name}: ${msg}`);
}
