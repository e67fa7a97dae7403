import { expect, test } from '@jest/globals';

import { watchAll } from '../../../src/controller/watch.ts';
import { World } from '../../../src/controller/world.ts';
import { notebook } from '../kube/world.ts';

test('what the ConfigMap of the settings said holds on once it is gone, and it is told when it does no more', () => {
  const world = new World('agents');
  const told: unknown[] = [];
  watchAll({
    ...{ client: undefined as never, world, log: notebook().log },
    onChange: (resource, key) => told.push([resource, key]),
  });
  const stored = { uid: 'c', data: { acting: 'Audit' } };
  world.configmaps.set('home/settings', stored);
  world.configmaps.delete('home/settings');
  expect(world.settings.settings.acting).toBe('Audit');
  world.configmaps.onLeft('home/settings', stored);
  expect(told).toEqual([['configmaps', 'home/settings']]);
  world.configmaps.close();
});
