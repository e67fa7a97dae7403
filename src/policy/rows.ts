/**
 * Numbers of one kind of thing by a name, each of the same columns, without an object for each: a policy that selects pods on
 * thousands of nodes has a row for each of them, and there are many such policies.
 */
export class Rows {
  readonly #columns: number;
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  #cells: Int32Array;

  constructor(columns: number) {
    this.#columns = columns;
    this.#cells = new Int32Array(columns);
  }

  get size(): number {
    return this.#slots.size;
  }

  keys(): IterableIterator<string> {
    return this.#slots.keys();
  }

  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** 0 where there is no such row. */
  get(key: string, column: number): number {
    const slot = this.#slots.get(key);
    return slot === undefined ? 0 : this.getAt(slot, column);
  }

  /** Where its row is until it is deleted, for many numbers of one row; of zeros where there was none. */
  rowOf(key: string): number {
    const held = this.#slots.get(key);
    if (held !== undefined) return held;
    const slot = this.#free.pop() ?? this.#slots.size;
    this.#slots.set(key, slot);
    if ((slot + 1) * this.#columns > this.#cells.length) this.#grow();
    return slot;
  }

  getAt(row: number, column: number): number {
    return this.#cells[row * this.#columns + column] ?? 0;
  }

  addAt(row: number, column: number, by: number): void {
    const at = row * this.#columns + column;
    this.#cells[at] = (this.#cells[at] ?? 0) + by;
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    this.#cells.fill(0, slot * this.#columns, (slot + 1) * this.#columns);
    this.#free.push(slot);
  }

  /** By half: most policies have few nodes, and a row that is not used costs as much as one that is. */
  #grow(): void {
    const rows = Math.ceil((this.#cells.length / this.#columns) * 1.5) + 1;
    const grown = new Int32Array(rows * this.#columns);
    grown.set(this.#cells);
    this.#cells = grown;
  }
}
