import { expect } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { Folder } from './folder.ts';
import { policy, yaml } from './manifests.ts';

export const behind90 = yaml(policy({ podSelector: {} }));

/** What `keepalive render` makes of one file beside a policy of 90 s for every pod of namespace `db`. */
export async function rendered(text: string, ...argv: string[]): Promise<string> {
  using folder = new Folder({ 'app.yaml': text, 'policies.yaml': behind90 });
  const options = ['-f', 'app.yaml', '-p', 'policies.yaml', '-n', 'db', ...argv];
  const { stdout, stderr } = await keepalive(['render', ...options], { cwd: folder.path });
  // Of a value with an empty line behind it nobody knows whether a pod starts, which is told.
  const others = stderr.split('\n').filter((line) => !line.includes(' is no plain whole number '));
  expect(others.join('\n')).toBe('');
  return stdout;
}
