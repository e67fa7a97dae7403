import type { Hop } from '../../src/api/hop.ts';
import type { PolicyStatus } from '../../src/api/status.ts';
import type { Provisions } from '../cluster/prepare.ts';
import type { Cell } from './cell.ts';
import type { Check, Fate } from './result.ts';
import type { Stage } from './stage.ts';

/** One way in which an idle connection dies. Its file says what stands between; trial.ts does the rest. */
export interface Scenario {
  readonly name: string;
  /** What stands between and how it forgets, in a sentence or two for people. */
  readonly story: string;
  /** Made before it is built: what no cluster needs by itself. */
  readonly needs?: Provisions;
  /** What people should do about it, printed in the end. */
  readonly advice?: string;
  /** Builds what stands between and starts the servers. `stage.onClear` says what is to be undone. */
  readonly build: (stage: Stage) => Promise<Course>;
}

/** What connections run through once it is built. */
export interface Course {
  /** What the policy declares. */
  readonly path: readonly Hop[];
  /** Tried side by side. */
  readonly ways: readonly Way[];
  /** The image of the clients' pods, which has a shell; the tools image unless told otherwise. */
  readonly image?: string;
  /** What the policy's own status has to say once it is Ready. */
  readonly expects?: (status: PolicyStatus) => readonly Check[];
}

/** How connections are made, and what becomes of them without the policy and with it. */
export interface Way {
  readonly name: string;
  /**
   * The client's command line. It prints a line that starts with `connected` once its connection has carried data,
   * talks now and then until its standard input ends, is silent for three times the shortest timeout, and speaks
   * again. What became of that is its last line: `silent …: alive`, or `silent …: ` and the error it met.
   */
  readonly client: (cell: Cell) => readonly string[];
  readonly without: Fate;
  readonly with: Fate;
  /** Which kinds it is tried for; the whole matrix unless told otherwise. */
  readonly cells?: readonly Cell[];
  /** How many connections of each kind; 3 unless told otherwise. */
  readonly connections?: number;
}
