import { expect, test } from '@jest/globals';

import { Unheard } from '../../../src/controller/unheard.ts';
import { Store } from '../../../src/kube/store.ts';
import type { Watched } from '../../../src/kube/watched.ts';
import { team } from '../../support/builder.ts';
import { HandClock } from '../kube/hand-clock.ts';
import { notebook } from '../kube/world.ts';
import { Rig } from './counts-rig.ts';
import { LookRig } from './look-rig.ts';

/** Watches of which nothing was heard since some moment; of the others it was just now. */
class Ears {
  readonly clock = new HandClock();
  readonly #since = new Map<string, number>();

  lose(resource: string): void {
    this.#since.set(resource, this.clock.now());
  }

  hear(resource: string): void {
    this.#since.delete(resource);
  }

  watched(resource: string): Watched {
    const seconds = () => (this.clock.now() - (this.#since.get(resource) ?? this.clock.now())) / 1000;
    return {
      ...{ resource, store: new Store() },
      reflector: {
        run: () => Promise.resolve(),
        whenSynced: Promise.resolve(),
        get secondsSinceContact() {
          return seconds();
        },
        ...{ secondsInterrupted: 0, interruptedBy: undefined },
      },
    };
  }
}

test('a watch that counts come from and that falls silent for longer than eleven minutes is told of, once, and when it is heard again', async () => {
  const ears = new Ears();
  const { log, lines } = notebook();
  const news: string[] = [];
  const resources = ['pods', 'nodekeepalives', 'deployments'];
  const unheard: Unheard = new Unheard({
    ...{ watched: resources.map((one) => ears.watched(one)), clock: ears.clock, log },
    onNews: () => void news.push(unheard.resources.join()),
  });
  const stop = new AbortController();
  const running = unheard.run(stop.signal);
  const pass = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 10) {
      await ears.clock.asleep(10_000);
      ears.clock.advance(10_000);
      await Promise.resolve();
    }
  };
  for (const one of ['deployments', 'nodekeepalives']) ears.lose(one);
  await pass(650);
  expect(news).toEqual([]);
  await pass(3600);
  expect(news).toEqual(['nodekeepalives']);
  ears.lose('pods');
  await pass(700);
  for (const one of ['pods', 'nodekeepalives']) ears.hear(one);
  await pass(20);
  expect(news).toEqual(['nodekeepalives', 'nodekeepalives,pods', '']);
  expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'info']);
  stop.abort();
  await running;
});

test('while nothing is heard of some resource, a look says that nobody can tell what is covered', async () => {
  const api = await LookRig.start();
  const rig = new Rig();
  const policy = team(90, { mode: 'Audit' }, 'own');
  const rest = { uid: 'u', generation: 1, problems: undefined, status: {} };
  rig.put('keepalivepolicies', 'db/own', { ...policy, policy, ...rest });
  const look = await api.looks(rig, ['pods']).at('db/own');
  expect(look).toMatchObject({ planned: { coverage: { status: 'Unknown', reason: 'WatchSilent' } } });
  await api.close();
});
