import type { Census } from '../policy/census.ts';
import type { World } from './world.ts';

/** What the agent of a node has told of the pods that policies select there, all or these, may be of all that are there by now. */
export function noteTold(
  node: string,
  { nodekeepalives, counts }: Pick<World, 'nodekeepalives' | 'counts'>,
  of?: readonly string[],
): void {
  const said = nodekeepalives.get(node)?.said;
  if (said === undefined) return;
  let hint = 0;
  for (const policy of of ?? said.policies) {
    const index = said.indexOf(policy, hint);
    hint = index + 1;
    if (index >= 0) counts.noteRead(policy, node, said.podsDigestAt(index));
  }
}

/** The same of what agents told of a policy before its pods were counted. */
export function noteToldBefore(
  policy: string,
  census: Census,
  { nodekeepalives }: Pick<World, 'nodekeepalives'>,
): void {
  let hint = 0;
  for (const node of census.places()) {
    const said = nodekeepalives.get(node)?.said;
    const index = said?.indexOf(policy, hint) ?? -1;
    if (said === undefined || index === -1) continue;
    census.noteRead(node, said.podsDigestAt(index));
    hint = index;
  }
}
