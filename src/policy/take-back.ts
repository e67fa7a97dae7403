import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import { tripleKeys } from '../api/triple.ts';
import type { Triple } from '../api/triple.ts';
import type { Admitted } from './admit.ts';
import { none, parseOwnTexts, parseOwnValues, parseRequirement, unreadable } from './admitted.ts';
import { amend } from './enough.ts';
import type { Sysctl } from './sysctl.ts';
import { keyOf, plainInteger } from './sysctl.ts';

/**
 * A pod that admission changed, and that another mutation then made one that admission leaves alone: it uses its node's
 * network, it is for Windows, it has the skip label. The API server refuses such a pod with these sysctls, or its kubelet
 * fails it, so what was given is taken back. Only what still is as it was written: anything else is somebody's own.
 */
export function takenBack(pod: Admitted): Admitted {
  const {
    [REQUIREMENT_ANNOTATION]: noted,
    [OWN_VALUES_ANNOTATION]: notedOwn,
    ...annotations
  } = pod.annotations;
  const requirement = parseRequirement(noted);
  const own = parseOwnValues(notedOwn);
  const texts = parseOwnTexts(notedOwn);
  if (requirement === undefined || own === undefined || texts === undefined) return pod;
  const written = amend(own, requirement);
  if (written === undefined || !isAsWritten(pod.sysctls, written)) return pod;
  const sysctls = pod.sysctls.flatMap((entry) => {
    const key = keyOf(entry);
    const text = key === undefined ? unreadable : texts[key];
    if (text === none) return [];
    return [text === unreadable ? entry : { name: entry.name, value: text }];
  });
  return { sysctls, annotations };
}

function isAsWritten(sysctls: readonly Sysctl[], written: Triple): boolean {
  const keys = sysctls.map(keyOf);
  return (
    tripleKeys.every((key) => keys.includes(key)) &&
    sysctls.every((entry) => {
      const key = keyOf(entry);
      return key === undefined || entry.value === String(written[key]) || !plainInteger.test(entry.value);
    })
  );
}
