import { expect, test } from '@jest/globals';

import { Store } from '../../../src/kube/store.ts';
import type { Watched } from '../../../src/kube/watched.ts';
import { isHalfHeard, outOfDate } from '../../../src/kube/watched.ts';

const watched = (secondsInterrupted: number, secondsSinceContact = 0, resource = 'pods'): Watched => ({
  resource,
  store: new Store(),
  reflector: {
    ...{ secondsInterrupted, secondsSinceContact, whenSynced: Promise.resolve() },
    run: () => Promise.resolve(),
    interruptedBy: undefined,
  },
});

test.each<[string, number[], boolean]>([
  ['when all are followed', [0, 0], false],
  ['while one was cut off a moment ago', [0, 0.4], true],
  ['when one stays away for long: what the others say is acted upon', [0, 10], false],
  ['while one stays away and another was cut off just now', [600, 0.4], true],
])('the world is half heard %s: %j, %s', (_sentence, seconds, expected) => {
  expect(isHalfHeard(seconds.map((one) => watched(one)))).toBe(expected);
});

test('what is held may be old where nothing was heard for long, and where lists come and never become whole', () => {
  const all = [
    watched(0, 661, 'pods'),
    watched(0, 660, 'namespaces'),
    watched(661, 2, 'nodes'),
    watched(30, 30, 'nodekeepalives'),
  ];
  expect(outOfDate(all)).toEqual(['nodes', 'pods']);
});
