const fewestSlots = 1024;
/** What is left of 2^32 by the golden ratio: neighbours come to lie far apart. */
const factor = 0x9e37_79b1;

/** Room for eight times as many as there were is kept: what comes is much like what went. */
const roomKept = 16;

/**
 * Whole numbers from 1 to 2^53, in memory that is used again after {@link clear}. What a Set of ten thousand lets go while it grows is 0.6 MiB, which
 * stays as garbage for minutes where little else is allocated.
 */
export class NumberSet {
  /** 0 for none; half of them at most are taken. */
  #slots = new Float64Array(fewestSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    return this.#slots[this.#slotOf(number)] === number;
  }

  add(number: number): void {
    const slot = this.#slotOf(number);
    if (this.#slots[slot] === number) return;
    this.#slots[slot] = number;
    this.#size += 1;
    if (this.#size * 2 > this.#slots.length) this.#grow();
  }

  clear(): void {
    const isLarge = this.#slots.length > Math.max(fewestSlots, this.#size * roomKept);
    if (isLarge) this.#slots = new Float64Array(fewestSlots);
    else this.#slots.fill(0);
    this.#size = 0;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Float64Array(before.length * 2);
    for (const number of before) if (number !== 0) this.#slots[this.#slotOf(number)] = number;
  }

  /** Where it is, or would be. */
  #slotOf(number: number): number {
    const last = this.#slots.length - 1;
    const [low, high] = [number % 0x1_0000_0000, Math.floor(number / 0x1_0000_0000)];
    let slot = Math.imul(low ^ high, factor) >>> Math.clz32(last);
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== number) slot = (slot + 1) & last;
    return slot;
  }
}
