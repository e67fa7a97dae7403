/** Writes everything that is generated from src/: run by `npm run generate`, compared by a test. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { generatedFiles } from './generated-files.ts';

const root = join(import.meta.dirname, '..');
for (const [path, content] of Object.entries(generatedFiles())) {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}
