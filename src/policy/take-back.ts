import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import type { Admitted } from './admit.ts';
import { none, unreadable } from './admitted.ts';
import { keyOf } from './sysctl.ts';
import { ownBefore } from './written.ts';

/**
 * A pod that admission changed, and that another mutation then made one that admission leaves alone: it uses its node's
 * network, it is for Windows, it has the skip label. The API server refuses such a pod with these sysctls, or its kubelet
 * fails it, so what was given is taken back. Only what still is as it was written: anything else is somebody's own.
 */
export function takenBack(pod: Admitted): Admitted {
  const own = ownBefore(pod);
  if (own === undefined) return pod;
  const { [REQUIREMENT_ANNOTATION]: _asked, [OWN_VALUES_ANNOTATION]: _own, ...annotations } = pod.annotations;
  const sysctls = pod.sysctls.flatMap((entry) => {
    const key = keyOf(entry);
    const text = key === undefined ? unreadable : own.texts[key];
    if (text === none) return [];
    return [text === unreadable ? entry : { name: entry.name, value: text }];
  });
  return { sysctls, annotations };
}
