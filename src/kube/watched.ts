import type { ApiClient } from './client.ts';
import type { Log } from './log.ts';
import type { Doubt } from './reflector.ts';
import { Reflector } from './reflector.ts';
import type { KubeObject, Target } from './resource.ts';
import type { Identified, Store } from './store.ts';

/** One watch, with what is told about it. */
export interface Watched {
  /** As metrics and logs call it. */
  readonly resource: string;
  readonly store: Store<Identified, string>;
  readonly reflector: Pick<
    Reflector<Identified>,
    'run' | 'whenSynced' | 'secondsSinceContact' | 'secondsInterrupted' | 'interruptedBy'
  >;
}

export interface WatchedOptions<T extends Identified> {
  readonly resource: string;
  /** A kind, in all namespaces or in one. */
  readonly target: Target;
  readonly store: Store<T, string>;
  readonly trim: (object: KubeObject) => T | undefined;
  readonly isHeld?: (object: KubeObject, held: T) => boolean;
  readonly fieldSelector?: string;
  readonly doubt?: Doubt;
}

/** Makes watches that share a client and a listener; none runs yet. */
export function watcher(shared: {
  readonly client: ApiClient;
  readonly log: Log;
  readonly onChange: (resource: string, key: string, before: Identified | undefined) => void;
}): <T extends Identified>(options: WatchedOptions<T>) => Watched {
  const { client, log, onChange } = shared;
  return <T extends Identified>({ resource, store, ...options }: WatchedOptions<T>): Watched => ({
    resource,
    store: store as unknown as Store<Identified, string>,
    reflector: new Reflector<T>({
      ...{ client, log, store, ...options },
      onChange: (key, before) => {
        onChange(resource, key, before);
      },
    }),
  });
}

/** For metrics. */
export function readingOfWatched({ resource, store, reflector }: Watched) {
  return { resource, objects: store.size, secondsSinceContact: reflector.secondsSinceContact };
}

/** For the readiness of a process: which watches have not seen the whole world yet. */
export function notSynced(watched: readonly Watched[]): string | undefined {
  const missing = watched.filter(({ store }) => !store.synced).map(({ resource }) => resource);
  return missing.length === 0 ? undefined : `still reading ${missing.join(', ')}`;
}

/** A watch that has not been heard of for so long has lost its server: not fit to be called ready. */
const longestSilenceSeconds = 660;

export function silent(watched: readonly Watched[]): string | undefined {
  const lost = watched.find(({ reflector }) => reflector.secondsSinceContact > longestSilenceSeconds);
  return lost && `nothing heard of ${lost.resource} for ${Math.round(lost.reflector.secondsSinceContact)} s`;
}

/** What is held of these resources may be old: nothing was heard of them for so long, or no list of them became whole. In order. */
export function outOfDate(watched: readonly Watched[]): string[] {
  return watched
    .filter(({ reflector: { secondsSinceContact, secondsInterrupted } }) =>
      [secondsSinceContact, secondsInterrupted].some((seconds) => seconds > longestSilenceSeconds),
    )
    .map(({ resource }) => resource)
    .sort();
}

/** Watches that a restarting server cut off are back one after the other within seconds; one that stays away is a fault of its own. */
const longestHalfHeardSeconds = 10;

/**
 * Whether some resources may be a moment older than the others: pods that are there, and nothing heard of what their
 * nodes say of them. What is decided then would be wrong, and right again a second later.
 */
export function isHalfHeard(watched: readonly Watched[]): boolean {
  return watched.some(
    ({ reflector: { secondsInterrupted } }) =>
      secondsInterrupted > 0 && secondsInterrupted < longestHalfHeardSeconds,
  );
}
