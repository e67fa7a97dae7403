import { setImmediate } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { Mirror } from '../../../src/kube/mirror.ts';
import { Store } from '../../../src/kube/store.ts';
import { notebook } from './world.ts';

function item(name: string) {
  return { metadata: { name, namespace: 'db', uid: name, resourceVersion: '1' } };
}

test('a long list is told bit by bit, and others have their turn in between', async () => {
  const told: string[] = [];
  const store = new Store<{ uid: string }>();
  const mirror = new Mirror({
    ...{ store, log: notebook().log, trim: ({ metadata: { uid } }) => ({ uid }) },
    onChange: (key) => {
      // What a handler does with a key may take long.
      const until = performance.now() + 10;
      while (performance.now() < until);
      told.push(`${key} of ${store.size}`);
    },
  });
  mirror.begin();
  for (const name of ['a', 'b']) mirror.stage(item(name));
  const others = setImmediate().then(() => told.push('others'));
  const whole = mirror.commit('7').then(() => told.push('whole'));
  expect([mirror.listing, mirror.version, store.synced]).toEqual([true, undefined, false]);
  await Promise.all([whole, others]);
  expect(told).toEqual(['db/a of 1', 'others', 'db/b of 2', 'whole']);
  expect([mirror.listing, mirror.version, store.synced]).toEqual([false, '7', true]);
});
