/** What a guest of arm64 takes, since no program of this machine runs there. */
import { armBusybox, armLibraries, armMachine, armNode } from '../cluster/arm64.ts';
import type { Board } from '../cluster/guest.ts';
import { unpacked } from '../cluster/unpacked.ts';

export const armPackages = unpacked('arm64', ['qemu-system-arm']);

export const armBoard: Board = { ...armMachine, busybox: armBusybox };

/** By their paths in the guest, where Node is to be found at `at`. */
export function armFiles(at: string): Record<string, string> {
  return { ...armLibraries(), [at]: armNode };
}
