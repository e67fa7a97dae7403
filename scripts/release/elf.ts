const magic = 0x464c457f;
const programHeaderBytes = 56;
/** A part of the file that is mapped when the program is started. */
const loaded = 1;

/**
 * A 64-bit program without what the loader never looks at: the table of sections and all that follows the last byte
 * that is mapped, which is names for debuggers. As `strip` does it, but the same on every machine and for every processor.
 */
export function whatIsLoaded(program: Buffer): Buffer {
  if (program.readUInt32LE(0) !== magic || program[4] !== 2 || program[5] !== 1)
    throw new Error('this is no little-endian ELF of 64 bits');
  const start = Number(program.readBigUInt64LE(32));
  const size = program.readUInt16LE(54);
  if (size !== programHeaderBytes) throw new Error(`its program headers have ${size} bytes`);
  const headers = Array.from({ length: program.readUInt16LE(56) }, (_, at) =>
    program.subarray(start + at * size, start + (at + 1) * size),
  );
  const ends = headers
    .filter((header) => header.readUInt32LE(0) === loaded)
    .map((header) => Number(header.readBigUInt64LE(8) + header.readBigUInt64LE(32)));
  const cut = Buffer.from(program.subarray(0, Math.max(...ends)));
  // Where the sections were, how many, and which names them.
  cut.writeBigUInt64LE(0n, 40);
  cut.writeUInt16LE(0, 60);
  cut.writeUInt16LE(0, 62);
  return cut;
}
