/** Counts the turns of the event loop, as long as it is not stopped. */
export class LoopTurns {
  #count = 0;
  #isStopped = false;

  constructor() {
    this.#next();
  }

  get count(): number {
    return this.#count;
  }

  stop(): void {
    this.#isStopped = true;
  }

  #next(): void {
    this.#count += 1;
    if (this.#isStopped) return;
    setImmediate(() => {
      this.#next();
    });
  }
}
