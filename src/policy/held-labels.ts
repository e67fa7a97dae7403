import { SKIP_LABEL } from '../api/group.ts';
import { enforceLabel, enforceVersionLabel } from './skip.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Of one object, as text. Kubernetes bounds annotations, and labels only by the 1.5 MiB of an object: who may make a hundred pods could
 * fill the memory of an agent with theirs.
 */
const mostCharacters = 16 * 1024;
/** What decides without being asked for by a selector, and the name by which namespaces are selected. */
const always = [SKIP_LABEL, enforceLabel, enforceVersionLabel, 'kubernetes.io/metadata.name'];

/** As many labels as are kept of an object, which are all unless somebody wants harm: whose it is, he is selected by the first of them. */
export function heldLabels(labels: Labels = {}): Labels {
  let left = mostCharacters;
  for (const key of Object.keys(labels)) left -= key.length + (labels[key]?.length ?? 0);
  return left >= 0 ? labels : firstOf(labels);
}

function firstOf(labels: Labels): Labels {
  const kept: Record<string, string> = {};
  let left = mostCharacters;
  const own = always.filter((key) => Object.hasOwn(labels, key));
  for (const key of [...own, ...Object.keys(labels)]) {
    const value = labels[key] ?? '';
    left -= key.length + value.length;
    if (left < 0) break;
    kept[key] = value;
  }
  return kept;
}
