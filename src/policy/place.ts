/** The node's own network. */
export const HOST = 'host';
export type PodPlace = `pod/${string}`;
/** A network of a node: its own, or that of a pod, by the uid that the API server gave it and that nobody can choose. */
export type Place = typeof HOST | PodPlace;

/** The only way to a pod's place: what is put behind the slash never makes it the host's. */
export function placeOfPod(uid: string): PodPlace {
  return `pod/${uid}`;
}
