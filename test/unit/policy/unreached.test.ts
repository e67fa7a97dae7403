import { expect, test } from '@jest/globals';

import { worded } from '../../../src/policy/finding.ts';
import { failureMessage, firstThreadEnded, leftOutDraft } from '../../../src/policy/unreached.ts';

test.each([
  ['Hangs', 'SocketsNotReachable', /a system call on one socket did not return .* it is not touched again/],
  ['PodHangs', 'SocketsNotReachable', /none of its sockets is looked at any more/],
  ['OwnerHangs', 'SocketsNotReachable', /its sockets are not looked at until the programs end/],
  ['NodeHangs', 'SocketsNotReachable', /no sockets are looked at until the programs end/],
  ['TooMany', 'TooManySockets', /those of one process were not all looked at/],
  ['TooManyOpen', 'TooManySockets', /more than can be told apart/],
  ['MPTCP', 'OtherTransport', /one socket is of Multipath TCP/],
  ['SMC', 'OtherTransport', /one socket is of SMC/],
] as const)('sockets that were left out are told with what to do: %s', (why, reason, text) => {
  const finding = worded(leftOutDraft(why, 1));
  expect(finding.reason).toBe(reason);
  expect(finding.message).toMatch(text);
  expect(leftOutDraft(why, 7).say()).toContain('7');
});

test('where there is no room to mark them, what to raise is told', () => {
  const finding = worded(leftOutDraft('NoRoom', 1));
  expect(finding.reason).toBe('SocketsNotReachable');
  expect(finding.message).toMatch(/nobody knows how these stand.* raise net\.core\.optmem_max on its node/);
});

test('a program whose first thread has ended is told what to do', () => {
  expect(failureMessage(firstThreadEnded, 1)).toMatch(
    /^sockets of one process cannot be looked at \(EINVAL, first thread ended\): .* Linux 6\.9 .*pthread_join/,
  );
});
