import { expect, test } from '@jest/globals';

import { leftPlace } from '../../../src/agent/left-place.ts';
import { contested, failed, nothing } from '../../../src/agent/no-reading.ts';
import type { Reading } from '../../../src/policy/reading.ts';

const place = 'pod/a';
const read: Reading = { ...nothing(place, 'failed'), state: 'read' };
const sandbox = { state: 'sandboxed', sandbox: 'gVisor', reason: 'a kernel of its own (gVisor)' } as const;
const refused: Pick<Reading, 'faults'> = {
  faults: [
    { key: 'timeSeconds', code: 'EROFS' },
    { key: 'probes', code: 'EACCES' },
  ],
};
const codes = 'net.ipv4.tcp_keepalive_time: EROFS, net.ipv4.tcp_keepalive_probes: EACCES';

test.each<[string, Reading | undefined, string]>([
  ['none of its processes runs', nothing(place, 'absent'), 'no process of it runs at this moment'],
  ['nothing is known of it', undefined, 'no process of it runs at this moment'],
  ['its network cannot be entered', failed(place, 'EPERM'), 'its network cannot be entered: EPERM'],
  ['another lays claim to it', contested(place, ['team/b']), 'it leads to the same processes as team/b'],
  ['values may not be written', { ...read, ...refused }, codes],
  ['they may not in a network that a sandbox does not use', { ...read, ...sandbox, ...refused }, codes],
])('where %s, that is the reason why its values are left', (_sentence, reading, reason) => {
  expect(leftPlace(place, reading)).toEqual({ place, reason });
});
