/** The programs that others have attached to a control group, by the numbers and names that `bpftool prog` shows. */
import { attachedTo, nameOfProgram } from './libbpf.ts';

export interface GroupProgram {
  readonly id: number;
  /** As far as the kernel keeps it: 15 characters. */
  readonly name: string;
}

/**
 * The programs of type sock_ops that keep ours from being attached to a control group: those that were attached there, or above, without
 * BPF_F_ALLOW_MULTI. None where nothing of that kind is there. EPERM without the right to ask.
 */
export function excludingPrograms(group: number): GroupProgram[] {
  const own = attachedTo(group, 'itself');
  const ids = own.ids.length > 0 && !own.besideOthers ? own.ids : attachedTo(group, 'it and above').ids;
  return ids.map((id) => ({ id, name: nameOfProgram(id) }));
}

/** An attachment that was refused says by whom, where that can be told. */
export function withExcluding(refused: NodeJS.ErrnoException, group: number): NodeJS.ErrnoException {
  if (refused.code !== 'EPERM') return refused;
  const names = named(group);
  if (names === '') return refused;
  refused.message += `: sock_ops programs that allow no others there: ${names}`;
  return refused;
}

function named(group: number): string {
  try {
    return excludingPrograms(group)
      .map(({ id, name }) => `${name} (id ${id})`)
      .join(', ');
  } catch {
    // Who may not ask may not attach either, and that is reason enough.
    return '';
  }
}
