import { expect, test } from '@jest/globals';

import { inStateFolder } from '../../../src/agent/state-folder.ts';

const file = '/run/keepalive.dev/lock';
const failing = (code: string) => () =>
  inStateFolder(file, () => {
    throw Object.assign(new Error(`${code}: it cannot be had, open '${file}'`), { code });
  });

test('what the folder gives is given on', () => {
  expect(inStateFolder(file, () => 3)).toBe(3);
});

test('an agent that is not root is told so: no room that anybody makes would help it', () => {
  expect(failing('EACCES')).toThrow(
    `${file}, which the agents of this node go by, cannot be used (EACCES: it cannot be had, open '${file}'): let the agent ` +
      'run as user 0, as its manifest has it, or let STATE_FOLDER be a folder of the host that the agent may write to',
  );
});

test('so is one that has no folder of the host there', () => {
  expect(failing('ENOENT')).toThrow(
    `${file}, which the agents of this node go by, cannot be used (ENOENT: it cannot be had, open '${file}'): mount a folder ` +
      'of the host there, as its manifest has it, or let STATE_FOLDER be a folder of the host that the agent may write to',
  );
});

test.each(['ENOSPC', 'EROFS'])('where it is not about who asks, room or another folder helps: %s', (code) => {
  expect(failing(code)).toThrow(
    `${file}, which the agents of this node go by, cannot be used (${code}: it cannot be had, open '${file}'): make room ` +
      'there, or let STATE_FOLDER be a folder of the host that the agent may write to',
  );
});
