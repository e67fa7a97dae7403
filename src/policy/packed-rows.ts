/** Of a row: which of its numbers are not 0. */
const maskBytes = 4;

/**
 * Rows of whole numbers of 32 bits, at most 32 in a row, in as few bytes as they need: most that a report says are 0, and most
 * others small. After its mask a row has each number that is not 0, seven bits a byte, with its sign as the lowest. Equal rows have
 * equal bytes.
 */
export class PackedRows {
  /** Of each row, and the end of the last. */
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;

  constructor(rows: readonly (readonly number[])[]) {
    const bytes: number[] = [];
    this.starts = new Uint32Array(rows.length + 1);
    rows.forEach((row, index) => {
      pack(row, bytes);
      this.starts[index + 1] = bytes.length;
    });
    this.bytes = Uint8Array.from(bytes);
  }

  /** Into an array that is as long as the row was. */
  read(row: number, into: Int32Array): void {
    const { bytes } = this;
    let at = this.starts[row] ?? 0;
    let mask = 0;
    for (let byte = 0; byte < maskBytes; byte += 1) mask |= (bytes[at + byte] ?? 0) << (8 * byte);
    at += maskBytes;
    into.fill(0);
    for (; mask !== 0; mask &= mask - 1) {
      let rest = 0;
      let byte = 0x80;
      for (let shift = 0; byte >= 0x80; shift += 7) {
        byte = bytes[at] ?? 0;
        rest |= (byte & 0x7f) << shift;
        at += 1;
      }
      into[31 - Math.clz32(mask & -mask)] = (rest >>> 1) ^ -(rest & 1);
    }
  }

  static isSame(one: PackedRows, row: number, other: PackedRows, otherRow: number): boolean {
    const [from, otherFrom] = [one.starts[row] ?? 0, other.starts[otherRow] ?? 0];
    const length = (one.starts[row + 1] ?? 0) - from;
    if (length !== (other.starts[otherRow + 1] ?? 0) - otherFrom) return false;
    for (let at = 0; at < length; at += 1)
      if (one.bytes[from + at] !== other.bytes[otherFrom + at]) return false;
    return true;
  }
}

function pack(row: readonly number[], bytes: number[]): void {
  const mask = row.reduce((bits, number, at) => ((number | 0) === 0 ? bits : bits | (1 << at)), 0);
  for (let byte = 0; byte < maskBytes; byte += 1) bytes.push((mask >>> (8 * byte)) & 0xff);
  for (const number of row) {
    if ((number | 0) === 0) continue;
    let rest = ((number << 1) ^ (number >> 31)) >>> 0;
    for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
    bytes.push(rest);
  }
}
