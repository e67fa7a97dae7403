import type { Clock } from '../kube/clock.ts';
import { sleep } from '../kube/clock.ts';
import type { Log } from '../kube/log.ts';
import type { Watched } from '../kube/watched.ts';
import { outOfDate } from '../kube/watched.ts';
import type { ResourceName } from './resource.ts';

/** What a policy covers is counted from these; a status tells by itself which generation of the policy it speaks of. */
const countedFrom: readonly string[] = [
  'pods',
  'nodes',
  'namespaces',
  'nodekeepalives',
] satisfies ResourceName[];

const everyMs = 10_000;

export interface UnheardOptions {
  readonly watched: readonly Watched[];
  readonly clock: Clock;
  readonly log: Log;
  /** Every policy is to be looked at. */
  readonly onNews: () => void;
}

/** Of what nothing was heard for long. No event tells of silence, so it is asked for from time to time. */
export class Unheard {
  readonly #options: UnheardOptions;
  #resources: readonly string[] = [];

  constructor(options: UnheardOptions) {
    this.#options = options;
  }

  /** As it was found last: a look and whoever asked for it see the same. */
  get resources(): readonly string[] {
    return this.#resources;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#look();
      await sleep(this.#options.clock, everyMs, signal);
    }
  }

  #look(): void {
    const { watched, log, onNews } = this.#options;
    const resources = outOfDate(watched.filter(({ resource }) => countedFrom.includes(resource)));
    if (resources.join() === this.#resources.join()) return;
    this.#resources = resources;
    if (resources.length > 0)
      log.warn({ resources }, 'nothing is heard any more: nobody can tell what policies cover');
    else log.info('all that policies cover is counted from is heard again');
    onNews();
  }
}
