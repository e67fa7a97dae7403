import type { PolicyKind } from '../../../src/api/group.ts';

export interface Specimen {
  readonly kind: PolicyKind;
  readonly spec: object;
  readonly name?: string;
}

/** Where a problem is, and words of what is said of it; none for a valid spec. */
export type Row = [sentence: string, specimen: Specimen, ...problems: [at: string, words: string][]];

export const hop = { name: 'nat', type: 'NAT', idleTimeoutSeconds: 90 };
export const namespaced = (spec: object): Specimen => ({
  kind: 'KeepalivePolicy',
  spec: { podSelector: {}, path: [hop], ...spec },
});

export const sameName = 'have the same name';
export const tooSmall = 'Too small';
export const tooBig = 'Too big';
export const numbered = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
