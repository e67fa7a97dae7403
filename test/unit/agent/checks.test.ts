import { expect, test } from '@jest/globals';

import type { Checked } from '../../../src/agent/checks.ts';
import { checksOf } from '../../../src/agent/checks.ts';
import { Store } from '../../../src/kube/store.ts';
import type { Watched } from '../../../src/kube/watched.ts';

const isWell: Checked = {
  ...{ watched: [], rounds: { failure: undefined } },
  reporter: { refusal: undefined, hasSpoken: true },
  kernel: { isOurTurn: true, waitingFor: undefined, secondsWaiting: 120 },
};
const watched = (secondsSinceContact = 0): Watched[] => {
  const whenSynced = Promise.resolve();
  const interruption = { secondsInterrupted: 0, interruptedBy: undefined };
  const reflector = { run: () => whenSynced, whenSynced, secondsSinceContact, ...interruption };
  return [{ resource: 'pods', store: new Store(), reflector }];
};
const failing = (agent: Partial<Checked>, probe: 'live' | 'ready' = 'ready') => {
  const checks = Object.entries(checksOf({ ...isWell, ...agent })[probe]);
  return checks.flatMap(([name, check]) =>
    [check()].flatMap((why) => (why === undefined ? [] : [name, why])),
  );
};

test('an agent with which all is well is ready', () => {
  expect(failing({})).toEqual([]);
});

test.each<[string, Partial<Checked>, ...string[]]>([
  [
    'whose rounds fail',
    { rounds: { failure: 'could not be looked at' } },
    'rounds',
    'could not be looked at',
  ],
  [
    'whose reports are refused',
    { reporter: { refusal: 'no such kind', hasSpoken: true } },
    'report',
    'no such kind',
  ],
  [
    'whose first report is refused',
    { reporter: { refusal: 'no such kind', hasSpoken: false } },
    'report',
    'no such kind',
  ],
  [
    'that has not reported, whatever one before it did',
    { reporter: { refusal: undefined, hasSpoken: false } },
    'report',
    'has not reported since it started: it does after its first round, once it is known how connections are reached',
  ],
  ['that has not read all', { watched: watched() }, 'synced', 'still reading pods'],
  [
    'that waits for another',
    { kernel: { ...isWell.kernel, isOurTurn: false, waitingFor: 'agent-1' } },
    'turn',
    'waits on this node for agent-1: it takes over when that has ended, so replace agents by maxUnavailable, not by maxSurge',
  ],
])('one %s is not ready, and lives', (_, agent, ...why) => {
  expect(failing(agent)).toEqual(why);
  expect(failing(agent, 'live')).toEqual([]);
});

test('one that has lost its API server is not ready', () => {
  expect(failing({ watched: watched(661) })).toContain('nothing heard of pods for 661 s');
});

test('one whose kernel thread hangs is neither ready nor alive', () => {
  const kernel = { ...isWell.kernel, secondsWaiting: 121 };
  const why = ['kernel', 'the kernel thread has done nothing for 121 s'];
  expect(failing({ kernel })).toEqual(why);
  expect(failing({ kernel }, 'live')).toEqual(why);
});
