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
  expect(stderr).toBe('');
  return stdout;
}
