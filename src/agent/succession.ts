import type { Log } from '../ops/log.ts';
import type { World } from './world.ts';

export interface SuccessionOptions {
  readonly world: Pick<World, 'isFollowed'>;
  readonly log: Log;
  /** Told when no agent follows any more, and where one does after all. */
  readonly onTurn: (isLast: boolean) => void;
}

/**
 * Whether another agent follows this one on its node, as the watches tell. Where none does, all that was installed may be on its way
 * out, one object after the other: rights, policies, the switch of the whole product. An agent is told to end after that, seconds
 * later as a rule, and longer where its kubelet is away.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  #own: string | undefined;
  #isLast = false;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  get isLast(): boolean {
    return this.#isLast;
  }

  /** From now on: the agent is of this DaemonSet, and the watches have seen the whole world. */
  begin(own: string): void {
    this.#own = own;
    this.look();
  }

  /** To be called when something came by a watch that may tell. */
  look(): void {
    if (this.#own === undefined) return;
    const { world, log, onTurn } = this.#options;
    const isLast = !world.isFollowed(this.#own);
    if (isLast === this.#isLast) return;
    this.#isLast = isLast;
    const node = isLast
      ? 'no agent follows this one on its node: it changes nothing more, and puts back what it changed when it is told to end'
      : 'an agent follows again on this node: it is looked after as before';
    log.info(node);
    onTurn(isLast);
  }
}
