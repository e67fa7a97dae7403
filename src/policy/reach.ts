import type { Place } from './place.ts';
import { HOST } from './place.ts';
import type { NodeSelections, PodSelection, Selecting } from './selection.ts';
import { compareText } from './finding.ts';

/** All that one policy selects on a node and that has not ended. */
export interface Reach {
  readonly selecting: Selecting;
  readonly pods: readonly PodSelection[];
  readonly selectsHost: boolean;
  /** Where its connections are: where it selects the node, those of all that use the node's own network too. */
  readonly places: readonly ReachedPlace[];
}

export interface ReachedPlace {
  readonly place: Place;
  readonly pod: PodSelection['pod'] | undefined;
}

/**
 * Every policy that selects something here, in the same order every time. One walk over pods and those that select
 * them: to ask each pod about each policy would cost the square of what a namespace's owner can pile up.
 */
export function reachesOf({ pods, host }: NodeSelections): Reach[] {
  const living = pods.filter(({ pod }) => pod.live);
  const selected = new Map<Selecting['record'], { selecting: Selecting; pods: PodSelection[] }>();
  const of = (selecting: Selecting) => {
    const known = selected.get(selecting.record);
    if (known !== undefined) return known;
    const one = { selecting, pods: [] };
    selected.set(selecting.record, one);
    return one;
  };
  for (const selection of living) for (const selecting of selection.by) of(selecting).pods.push(selection);
  const hosts = new Set(host.by.map((selecting) => of(selecting).selecting.record));
  const ofHost = living.filter(({ pod }) => pod.hostNetwork);
  return [...selected.values()]
    .map(({ selecting, pods: own }) => {
      const selectsHost = hosts.has(selecting.record);
      return { selecting, pods: own, selectsHost, places: placesOf(own, selectsHost ? ofHost : undefined) };
    })
    .sort((a, b) => compareText(sortKey(a), sortKey(b)));
}

function placesOf(
  own: readonly PodSelection[],
  ofHost: readonly PodSelection[] | undefined,
): readonly ReachedPlace[] {
  const placeOf = ({ pod }: PodSelection): ReachedPlace => ({ place: pod.place, pod });
  if (ofHost === undefined) return own.map(placeOf);
  return [{ place: HOST, pod: undefined }, ...[...new Set([...own, ...ofHost])].map(placeOf)];
}

function sortKey({ selecting: { record } }: Reach): string {
  return `${record.kind} ${record.namespace}/${record.name}`;
}
