import type { SocketReading, SocketTarget } from '../../policy/connection.ts';
import type { Diary } from './diary.ts';
import type { KnownSocket, Onlooker } from './process-sockets.ts';
import { SocketTally } from './socket-tally.ts';

/** A socket that a system call hung on, or with inode 0 a process whose list did. */
export interface Avoided {
  readonly pid: number;
  readonly inode: number;
}

export interface LookTarget extends SocketTarget {
  /** Look at every socket anew, since a program may have changed its mind; otherwise only at those not seen yet. */
  readonly everySocket: boolean;
  readonly avoid: readonly Avoided[];
}

/** Descriptors that one look at a pod goes through: about two seconds of a core. */
export const mostDescriptors = 250_000;

/** What is remembered of a place, by inode numbers. */
export interface Memory {
  /** Sockets that need not be looked at again until all are. */
  readonly met: ReadonlySet<number>;
  /** Sockets that were given keepalive, whose timer nobody can ask for. */
  readonly armed: ReadonlySet<number>;
}

export const noMemory: Memory = { met: new Set(), armed: new Set() };

/** One look at all sockets of one place. */
export class SocketLook implements Onlooker {
  readonly wanted: LookTarget['wanted'];
  readonly #before: ReadonlySet<number>;
  readonly #diary: Pick<Diary, 'touch'>;
  readonly #tally: SocketTally;
  readonly #avoided: ReadonlySet<number>;
  /** Inode numbers. */
  readonly #met = new Set<number>();
  /** Of these, what is tried again at the next look: what was refused once may not be for ever. */
  readonly #refused = new Set<number>();
  readonly #refusals = new Set<string>();
  readonly #armedBefore: ReadonlySet<number>;
  readonly #armed: Set<number>;
  #room: number;

  constructor(
    target: LookTarget,
    { before, diary, most }: { before: Memory; diary: Pick<Diary, 'touch'>; most: number },
  ) {
    this.wanted = target.wanted;
    this.#before = target.everySocket ? new Set() : before.met;
    this.#armedBefore = before.armed;
    // What is not met when all are looked at is gone.
    this.#armed = new Set(target.everySocket ? [] : before.armed);
    this.#diary = diary;
    this.#tally = new SocketTally(target);
    this.#avoided = new Set(target.avoid.map(({ inode }) => inode));
    this.#room = most;
  }

  /** How the place stands, and what need not be looked at again until everything is. */
  end(): { readonly reading: SocketReading; readonly memory: Memory } {
    for (const inode of this.#refused) this.#met.delete(inode);
    return { reading: this.#tally.reading(), memory: { met: this.#met, armed: this.#armed } };
  }

  hasRoom(): boolean {
    const isLeft = this.#room > 0;
    if (isLeft) this.#room -= 1;
    else this.#tally.leaveOut('TooMany');
    return isLeft;
  }

  isNew(pid: number, inode: number): boolean {
    // One that several processes share counts once.
    if (this.#met.has(inode)) return false;
    if (this.#before.has(inode) || this.#avoided.has(inode)) {
      this.#met.add(inode);
      if (this.#avoided.has(inode)) this.leaveOut();
      return false;
    }
    this.#diary.touch(pid, inode);
    return true;
  }

  /** One that hangs, or all of a process whose list does. */
  leaveOut(): void {
    this.#tally.addUnknown();
    this.#tally.leaveOut('Hangs');
  }

  wasArmed(inode: number): boolean {
    if (!this.#armedBefore.has(inode)) return false;
    this.#armed.add(inode);
    return true;
  }

  arm(inode: number): void {
    this.#armed.add(inode);
  }

  meet(inode: number, socket: KnownSocket, repaired: boolean): void {
    this.#met.add(inode);
    this.#tally.add(socket, repaired);
  }

  pass(inode: number): void {
    this.#met.add(inode);
  }

  passForeign(inode: number, transport: 'MPTCP' | 'SMC'): void {
    this.#met.add(inode);
    this.#tally.leaveOut(transport);
  }

  refuse(inode: number, code: string): void {
    this.#refusals.add(code);
    // One that was met already tells how it stands, and could not be changed.
    if (!this.#met.has(inode)) this.#tally.addUnknown();
    this.#met.add(inode);
    this.#refused.add(inode);
  }

  /** A process was gone through; `failure`: not to its end. */
  endProcess(failure?: string): void {
    if (failure !== undefined) this.#refusals.add(failure);
    for (const code of this.#refusals) this.#tally.addFailure(code);
    this.#refusals.clear();
  }
}
