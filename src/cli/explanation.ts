import type { PolicyKind } from '../api/group.ts';
import type { Effective } from '../api/status.ts';
import type { Triple } from '../api/triple.ts';

/** What is told of a pod or of a node, by part, in the order in which a reader asks. */
export interface Explanation {
  /** `pod db/mongo-0`, `node n1`. */
  readonly about: string;
  readonly node?: string;
  readonly standing: Standing;
  readonly selectedBy: readonly Match[];
  /** What all of those ask for together that act; absent where none acts. */
  readonly asked?: Asked;
  readonly parts: Readonly<Partial<Record<Part, readonly Statement[]>>>;
  readonly todo: readonly string[];
}

export const parts = ['policies', 'creation', 'kernel', 'connections'] as const;
export type Part = (typeof parts)[number];

/** `Unselected`: no policy is for it. `Unknown`: nothing that is known is wrong, and not all is known. */
export type Standing = 'Covered' | 'NotCovered' | 'Unselected' | 'Unknown';

/** One thing that is told. */
export interface Statement {
  readonly is: 'fine' | 'wrong' | 'note' | 'unknown';
  readonly text: string;
  /** What somebody can do about it. */
  readonly todo?: string;
}

export const fine = (text: string): Statement => ({ is: 'fine', text });
export const note = (text: string): Statement => ({ is: 'note', text });
export const unknown = (text: string): Statement => ({ is: 'unknown', text });
export const wrong = (text: string, todo?: string): Statement =>
  todo === undefined ? { is: 'wrong', text } : { is: 'wrong', text, todo };

export function has(statements: readonly Statement[], is: Statement['is']): boolean {
  return statements.some((statement) => statement.is === is);
}

/** A policy that selects what is explained. */
export interface Match {
  readonly kind: PolicyKind;
  readonly namespace?: string;
  readonly name: string;
  readonly effective: Effective;
  /** Why it changes nothing; absent where it acts. */
  readonly inactive?: string;
  /** Its timeout is the shortest of those that act. */
  readonly binds: boolean;
}

export interface Asked extends Triple {
  readonly idleTimeoutSeconds: number;
  /** The policy and the hop that forget first. */
  readonly by: string;
  readonly hop: string;
  /** `timeSeconds 20 at most: KeepalivePolicy db/eager declares it`; what a policy gives that does not bind. */
  readonly declared: readonly string[];
}

export function todoOf(statements: readonly Statement[]): string[] {
  return [...new Set(statements.flatMap(({ todo }) => todo ?? []))];
}
