import type { HopType } from './resolved-hop.ts';

/** A product with a default TCP idle timeout that its maker or its source code states. */
export interface Preset {
  readonly title: string;
  readonly type: HopType;
  /** Default, in seconds. */
  readonly idleTimeoutSeconds: number;
  /** What a packet meets that comes later; absent where no source says. */
  readonly after?: string;
  /** Whether, and how far, a user can change the default; absent where no source says. */
  readonly configurable?: string;
  readonly source: string;
}
