import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { run } from '../../cluster/command.ts';

test('what was due long ago is done at once, and Node warns nobody of it', async () => {
  // What Node warns of is not heard inside of jest.
  const clock = join(import.meta.dirname, '../../../src/kube/clock.ts');
  const script = `import { systemClock } from '${clock}'; systemClock.schedule(-34_071.5, () => console.log('done'));`;
  const { stdout, stderr } = await run([process.execPath, '--input-type=module', '-e', script]);
  expect({ stdout, stderr }).toEqual({ stdout: 'done\n', stderr: '' });
});
