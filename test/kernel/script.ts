import { join } from 'node:path';

/** The command line of a TypeScript file of this folder, on the Node that runs the tests. */
export function script(name: string): string[] {
  return [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, name)];
}
