import { runOrThrow } from '../cluster/command.ts';
import { goEnvironment } from '../cluster/go.ts';

/** The folder of a Go module, as Go itself has fetched and checked it: files that are published nowhere else by version. */
export async function goSource(module: string, version: string): Promise<string> {
  const described = await runOrThrow(['go', 'mod', 'download', '-json', `${module}@v${version}`], {
    ...{ cwd: '/', env: goEnvironment() },
  });
  return (JSON.parse(described) as { Dir: string }).Dir;
}
