/** When a thread did its last step, for another to see that it lives: what it is at may take long, and no message tells of it. */
export class StepClock {
  readonly memory: SharedArrayBuffer;
  readonly #last: BigInt64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#last = new BigInt64Array(memory);
  }

  step(): void {
    Atomics.store(this.#last, 0, process.hrtime.bigint());
  }

  /** Of a thread that has not begun, longer than any. */
  get secondsAgo(): number {
    return Number(process.hrtime.bigint() - Atomics.load(this.#last, 0)) / 1e9;
  }
}
