import { beforeAll, describe, expect, jest, test } from '@jest/globals';

import { seenInGuest } from '../kernel/kernel-guest.ts';

// In emulation, and some of what an agent does it does each half minute.
jest.setTimeout(600_000);

let saw: ReadonlyMap<string, unknown>;
beforeAll(async () => {
  saw = await seenInGuest('agent');
});

describe('on a Debian kernel that counts connections itself, an agent', () => {
  test.each<[string, unknown]>([
    ['means', { by: 'BPF', countedBy: 'BPF' }],
    ['what was open, both ends', [6, 0]],
    ['looks at descriptors', 0],
    ['repaired', 6],
    ['loosened, and repaired', [6, 0]],
    ['looks at descriptors then', 0],
    ['not to be repaired', [4, 'KeepaliveOff']],
    ['to be repaired', [10, 0]],
    ['where one is held', [[9, 0], { Hangs: 1 }]],
    ['elsewhere', [10, 0]],
    ['once it is let go', [10, 0]],
  ])('sees %s', (what, as) => {
    expect(saw.get(what)).toEqual(as);
  });
});
