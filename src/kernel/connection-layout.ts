/** What keepalive.bpf.c shares with user space, byte by byte. */
import type { KeepaliveValues } from './keepalive-files.ts';

/** What the connections of a network namespace are to be given, where what they have is not enough. */
export interface ConnectionOrder {
  /** In seconds. */
  readonly idleTimeoutSeconds: number;
  /** The latest second in which a second probe is due. */
  readonly secondProbeSeconds: number;
  readonly values: KeepaliveValues;
  /** What nothing may be above. */
  readonly most: { readonly [K in keyof KeepaliveValues]?: number | undefined };
}

/** Connections are told, and none is changed; or they are not even told. */
export const onlyTold = 'only told';
export const leftAlone = 'left alone';
export type Order = ConnectionOrder | typeof onlyTold | typeof leftAlone;

const noBound = 0xffff_ffff;
const orderWords = 10;
const sealFactor = 0x9e37_79b9_7f4a_7c15n;

const orderFlags = { asksGroups: 1, leave: 2, tell: 4 };

export interface OrderFacts {
  /** Of whom it is ordered: it counts for no other. */
  readonly key: bigint;
  /** Jiffies a second. */
  readonly hertz: number;
  /** Of a network: control groups above a socket are asked first. */
  readonly asksGroups?: boolean;
  /** Its connections are to be told by a count. */
  readonly tells?: boolean;
}

/** `struct wanted` */
export function orderAsBytes(
  order: Order,
  { key, hertz, asksGroups = false, tells = false }: OrderFacts,
): Buffer {
  const bytes = Buffer.alloc(orderWords * 4 + 8);
  const fields = typeof order === 'string' ? [0, 0, 0, 0, 0, 0, 0, 0] : numbersOf(order);
  const flags =
    (asksGroups ? orderFlags.asksGroups : 0) |
    (order === leftAlone ? orderFlags.leave : 0) |
    (tells ? orderFlags.tell : 0);
  const words = [...fields, hertz, flags];
  words.forEach((value, at) => bytes.writeUInt32LE(value, at * 4));
  bytes.writeBigUInt64LE(sealed(key, words), orderWords * 4);
  return bytes;
}

/** By which a reader knows an order that is written over by that of another while it reads: ordered_for in keepalive.bpf.c. */
function sealed(key: bigint, words: readonly number[]): bigint {
  return words.reduce((seal, word) => BigInt.asUintN(64, (seal ^ BigInt(word)) * sealFactor), key);
}

function numbersOf({ idleTimeoutSeconds, secondProbeSeconds, values, most }: ConnectionOrder): number[] {
  return [
    ...[idleTimeoutSeconds, secondProbeSeconds],
    ...[values.timeSeconds, values.intervalSeconds, values.probes],
    ...[most.timeSeconds ?? noBound, most.intervalSeconds ?? noBound, most.probes ?? noBound],
  ];
}

export const keyBytes = 8;

/** The key of a network namespace, or of a control group. */
export function keyAsBytes(key: bigint): Buffer {
  const bytes = Buffer.alloc(keyBytes);
  bytes.writeBigUInt64LE(key);
  return bytes;
}

/** Whose connections could not all be marked, so that a count does not tell all of them. */
export interface Unmarked {
  /** Cookie of their network namespace. */
  readonly network: bigint;
  /** The control group that something is ordered for and that they are in; 0 for none. */
  readonly group: bigint;
  /** When one was met last that could not be, by CLOCK_MONOTONIC. */
  readonly atMs: number;
}

export const ownerBytes = 16;
export const timeBytes = 8;

/** `struct owner`, and a time in nanoseconds. */
export function readUnmarked(owner: Buffer, time: Buffer): Unmarked {
  return {
    network: owner.readBigUInt64LE(),
    group: owner.readBigUInt64LE(8),
    atMs: Number(time.readBigUInt64LE()) / 1e6,
  };
}

/** One connection, as the kernel has it. */
export interface ToldConnection {
  /** Cookie of its network namespace. */
  readonly network: bigint;
  /** The control group that something is ordered for and that it is in; 0 for none. */
  readonly group: bigint;
  /** 16 bytes, IPv4 mapped into IPv6. */
  readonly peer: { readonly address: Buffer; readonly port: number };
  /** Half closed otherwise. */
  readonly established: boolean;
  readonly loopback: boolean;
  readonly keepalive: boolean;
  /** It was given values after this was told. */
  readonly repaired: boolean;
  readonly values: KeepaliveValues;
  /** Until its timer expires; undefined where none runs. */
  readonly timerMs: number | undefined;
  readonly userTimeoutMs: number;
  /** A number that no other socket has before the next boot; 0 where a sweep tells. */
  readonly socket: number;
  /** When it was met, by CLOCK_MONOTONIC; 0 where a sweep tells. */
  readonly metMs: number;
}

export const toldBytes = 72;
/** A read that tells fewer has come to the end: others fill 8 pages, of 4 KiB where they are smallest. */
export const fewestInFullRead = Math.floor((8 * 4096) / toldBytes);
const flags = { keepalive: 1, repaired: 2, loopback: 4 };
const established = 1;

/** With more at once, those of each step outlive the young part of an agent's heap, and stay as garbage: 23 MiB of 10,000 sockets. */
const toldInStep = 128;

/**
 * What is told in chunks, which last until the next one is asked for. The kernel cuts them where its own buffer or the reader's is
 * full, with pages of 16 KiB and more amid a record, whose rest the next chunk begins with.
 */
export function* toldIn(chunks: Iterable<Buffer>, hertz: number): Generator<ToldConnection[], void> {
  let cut = Buffer.alloc(0);
  for (const chunk of chunks) {
    const bytes = cut.length === 0 ? chunk : Buffer.concat([cut, chunk]);
    const whole = Math.floor(bytes.length / toldBytes);
    for (let from = 0; from < whole; from += toldInStep)
      yield Array.from({ length: Math.min(toldInStep, whole - from) }, (_, at) =>
        readTold(bytes, (from + at) * toldBytes, hertz),
      );
    cut = Buffer.from(bytes.subarray(whole * toldBytes));
  }
  if (cut.length > 0) throw new Error(`the kernel told ${cut.length} bytes of a connection, and no more`);
}

/** `struct told` */
function readTold(bytes: Buffer, at: number, hertz: number): ToldConnection {
  const set = bytes.readUInt8(at + 51);
  const timer = bytes.readInt32LE(at + 40);
  return {
    network: bytes.readBigUInt64LE(at),
    group: bytes.readBigUInt64LE(at + 8),
    peer: { address: bytes.subarray(at + 16, at + 32), port: bytes.readUInt16LE(at + 48) },
    established: bytes.readUInt8(at + 50) === established,
    keepalive: (set & flags.keepalive) !== 0,
    repaired: (set & flags.repaired) !== 0,
    loopback: (set & flags.loopback) !== 0,
    values: {
      timeSeconds: bytes.readUInt32LE(at + 32) / hertz,
      intervalSeconds: bytes.readUInt32LE(at + 36) / hertz,
      probes: bytes.readUInt8(at + 52),
    },
    timerMs: timer < 0 ? undefined : (timer * 1000) / hertz,
    userTimeoutMs: bytes.readUInt32LE(at + 44),
    // They count from 1.
    socket: Number(bytes.readBigUInt64LE(at + 56)),
    metMs: Number(bytes.readBigUInt64LE(at + 64)) / 1e6,
  };
}
