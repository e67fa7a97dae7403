import { ApiClient } from '../../../src/kube/client.ts';
import { plain, type Connection } from '../../../src/kube/connection.ts';
import { Reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';
import { FakeApiServer } from '../../support/api-server.ts';
import { HandClock } from './hand-clock.ts';
import { notebook } from './world.ts';

export interface Trimmed {
  readonly uid: string;
  readonly note: string | undefined;
}

export const trim = ({ metadata }: KubeObject): Trimmed => ({
  uid: metadata.uid,
  note: metadata.annotations?.note,
});

/** A reflector against a scripted server, with time that stands still. */
export class ReflectorRig {
  readonly server: FakeApiServer;
  readonly connection: Connection;
  readonly stop = new AbortController();
  running: Promise<void> | undefined;

  private constructor(server: FakeApiServer) {
    this.server = server;
    this.connection = plain(server.url);
  }

  static async create(): Promise<ReflectorRig> {
    return new ReflectorRig(await FakeApiServer.start());
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
    await this.connection.close();
    await this.server.close();
  }

  get queries() {
    return this.server.asked.map(({ query }) => query);
  }

  start(more: Partial<ReflectorOptions<Trimmed>> = {}) {
    const clock = new HandClock();
    const store = new Store<Trimmed>();
    const changes: string[] = [];
    const { log, lines } = notebook();
    let awaited: { count: number; resolve: () => void } | undefined;
    const reflector = new Reflector<Trimmed>({
      client: new ApiClient(this.connection),
      target: { group: '', version: 'v1', plural: 'pods' },
      store,
      trim,
      onChange: (key) => {
        changes.push(key);
        if (awaited && changes.length >= awaited.count) awaited.resolve();
      },
      log,
      clock,
      random: () => 1,
      ...more,
    });
    this.running = reflector.run(this.stop.signal);
    const changed = (count: number) =>
      new Promise<void>((resolve) => {
        awaited = { count, resolve };
        if (changes.length >= count) resolve();
      });
    /** Waits for the pause of a back-off (never more than 30 s; a watch lives 310 s at least), then ends it. */
    const passPause = async () => {
      await clock.asleep(29_999);
      const [pause = 0] = clock.pending;
      clock.advance(pause);
      return pause;
    };
    return { reflector, clock, store, changes, lines, changed, passPause };
  }
}
