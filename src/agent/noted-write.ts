import type { KeepaliveFault, KeepaliveFiles } from '../kernel/keepalive-files.ts';
import type { Memory, Outcome, Settlement } from '../policy/tighten.ts';
import { isEmpty } from '../policy/tighten.ts';

type Seen = ReturnType<KeepaliveFiles['read']>;

/** Notes before the first write, writes, and reads back; `faults` has whatever cannot be read, or was refused. */
export function writeNoted(
  files: KeepaliveFiles,
  seen: Seen,
  { writes, before }: Settlement,
  note: (memory: Memory) => void,
): Outcome & { readonly faults: readonly KeepaliveFault[] } {
  if (Object.keys(writes).length === 0)
    return { refused: [], seen: seen.values, now: seen.values, faults: seen.faults };
  if (!isEmpty(before)) note(before);
  const refusals = files.write(writes);
  const { values: now, faults } = files.read();
  const refused = refusals.map(({ key }) => key);
  return { refused, seen: seen.values, now, faults: [...faults, ...refusals] };
}
