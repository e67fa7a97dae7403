import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import type { Triple, TripleKey } from '../api/triple.ts';
import { tripleKeys } from '../api/triple.ts';
import type { Admitted } from './admit.ts';
import { ownTextOf, parseOwnTexts, parseOwnValues, parseRequirement, unreadable } from './admitted.ts';
import { amended } from './enough.ts';
import type { Sysctl } from './sysctl.ts';
import { keyOf, plainInteger } from './sysctl.ts';

/** What a pod itself had before admission changed it. */
export interface OwnBefore {
  readonly texts: Readonly<Record<TripleKey, string>>;
  readonly values: Partial<Triple>;
}

/**
 * What admission noted of a pod's own values, believed only while its sysctls still are what was written from them: whoever
 * makes a pod may write notes, a copy of a pod brings them along, and another mutation may have set a sysctl after us. What
 * is there then is the pod's own.
 */
export function ownBefore({ sysctls, annotations }: Admitted): OwnBefore | undefined {
  const requirement = parseRequirement(annotations[REQUIREMENT_ANNOTATION]);
  const texts = parseOwnTexts(annotations[OWN_VALUES_ANNOTATION]);
  const values = parseOwnValues(annotations[OWN_VALUES_ANNOTATION]);
  if (requirement === undefined || texts === undefined || values === undefined) return undefined;
  return isAsWritten(sysctls, texts, amended(values, requirement)) ? { texts, values } : undefined;
}

function isAsWritten(
  sysctls: readonly Sysctl[],
  texts: Readonly<Record<TripleKey, string>>,
  written: Triple,
): boolean {
  const counts = (key: TripleKey) => (texts[key] === unreadable ? unreadable : String(written[key]));
  return (
    tripleKeys.every((key) => ownTextOf(sysctls, key) === counts(key)) &&
    // Whoever wrote a note of values that stayed as they were, it is none of ours.
    tripleKeys.some((key) => ownTextOf(sysctls, key) !== texts[key]) &&
    // Of a key that is named twice every spelling was written.
    sysctls.every((entry) => {
      const key = keyOf(entry);
      return key === undefined || entry.value === String(written[key]) || !plainInteger.test(entry.value);
    })
  );
}
