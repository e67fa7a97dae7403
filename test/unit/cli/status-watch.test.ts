import { expect, test } from '@jest/globals';

import { outdated } from '../../../src/cli/status-watch.ts';
import { ApiError } from '../../../src/kube/errors.ts';
import { Store } from '../../../src/kube/store.ts';
import type { Watched } from '../../../src/kube/watched.ts';

const refused = (status: number, reason: string) =>
  new ApiError({ status, reason, path: 'WATCH /api/v1/nodes', detail: 'no' });
const watched = (resource: string, interruptedBy: unknown, secondsInterrupted = 6): Watched => ({
  ...{ resource, store: new Store() },
  reflector: {
    ...{ secondsInterrupted, interruptedBy, secondsSinceContact: 0 },
    ...{ run: () => Promise.resolve(), whenSynced: Promise.resolve() },
  },
});

test('what follows is not told of, nor what a restart of the API server cut off', () => {
  expect(outdated([watched('nodes', undefined, 0), watched('pods', refused(0, 'ECONNRESET'), 4)])).toEqual(
    [],
  );
});

test.each([
  [0, 'ECONNREFUSED'],
  [503, 'ServiceUnavailable'],
])('an API server that does not answer is told of once: %i %s', (status, reason) => {
  const all = ['nodes', 'pods'].map((resource) => watched(resource, refused(status, reason)));
  expect(outdated(all)).toEqual([
    'what is new: the API server does not answer, and is asked again and again',
  ]);
});

test('one that answers that somebody may not watch is told with what, and nothing of what he may', () => {
  const all = [
    watched('nodes', refused(403, 'Forbidden')),
    watched('pods in namespace agents', refused(403, 'Forbidden')),
    watched('keepalivepolicies', undefined, 0),
  ];
  expect(outdated(all)).toEqual([
    'what is new of nodes: you may not watch nodes, so they are shown as they were when they were read last',
    'what is new of pods in namespace agents: you may not watch pods in namespace agents, so they are shown as they were when they were read last',
  ]);
});

test('one that does not know somebody any more tells him to log in', () => {
  expect(outdated([watched('nodes', refused(401, 'Unauthorized'))])).toEqual([
    expect.stringContaining('log in anew'),
  ]);
});

test('whatever else it answers is told in its words', () => {
  expect(outdated([watched('nodes', refused(400, 'BadRequest'))])).toEqual([
    'what is new of nodes: WATCH /api/v1/nodes: 400 BadRequest: no, so they are shown as they were when they were read last',
  ]);
});
