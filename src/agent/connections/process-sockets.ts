import { closeSync, fstatSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describeEndpoint, isLoopback } from '../../kernel/endpoint.ts';
import { HomeNamespace, networkOf } from '../../kernel/network-namespace.ts';
import { firstProcess, numbersIn, ProcessHandle } from '../../kernel/process.ts';
import { SocketDiagnosis } from '../../kernel/socket-timer.ts';
import { close, openPidfd, openThreadPidfd } from '../../kernel/syscall.ts';
import type { SocketFacts, SocketState } from '../../kernel/tcp-socket.ts';
import { notSupported, TcpSocket } from '../../kernel/tcp-socket.ts';
import type { Triple } from '../../api/triple.ts';
import type { ConnectionView } from '../../policy/connection.ts';
import { tighten } from '../../policy/connection.ts';
import { spread } from '../../policy/spread.ts';
import type { Requirement } from '../../policy/requirement.ts';
import { firstThreadEnded } from '../../policy/unreached.ts';
import { isInGroup } from '../sandbox.ts';

/** A TCP socket as it was when it was last looked at. */
export interface KnownSocket {
  readonly state: SocketState;
  readonly view: ConnectionView;
  readonly program: string;
  readonly peer: string;
}

export interface Process {
  readonly pid: number;
  /** The control group of the pod that it must be of; undefined for a process of the host. */
  readonly group: string | undefined;
}

/** Who is told what descriptors lead to, and says what is to be touched. */
export interface Onlooker {
  /** What sockets are given; undefined: nothing. */
  readonly wanted: Requirement | undefined;
  /** False where no more descriptors are to be looked at. */
  hasRoom(): boolean;
  /** Whether a socket is to be touched; said right before it is. */
  isNew(pid: number, inode: number): boolean;
  /** Whether it was given keepalive before by {@link arm}: its options tell then how its timer was armed. */
  wasArmed(inode: number): boolean;
  /** It was given keepalive, and nobody can ask for its timer. */
  arm(inode: number): void;
  meet(inode: number, socket: KnownSocket, repaired: boolean): void;
  /** It is no socket of TCP, and never will be. */
  pass(inode: number): void;
  /** What is carried by TCP in another way, and cannot be given keepalive. */
  passForeign(inode: number, transport: 'MPTCP' | 'SMC'): void;
  /** The kernel refused something about it. */
  refuse(inode: number, code: string): void;
}

interface Source {
  readonly pidfd: number;
  readonly handle: ProcessHandle;
  readonly program: string;
}

/** How the descriptors of a process are had: through one of its threads. */
interface Way {
  readonly process: Process;
  readonly handle: ProcessHandle;
  /** In proc. */
  readonly folder: string;
  readonly pidfd: number;
}

interface Diagnosis {
  /** Inode number of the network namespace. */
  readonly of: number;
  readonly ask: SocketDiagnosis;
}

/** The sockets of one process after the other. */
export class ProcessSockets {
  readonly #procRoot: string;
  readonly #openThread: typeof openThreadPidfd;
  readonly #home = new HomeNamespace();
  readonly #hostNetwork: bigint;
  /** Otherwise a number of the host's is another process's here. */
  readonly #countsAsHost: boolean;
  /** Of the network that was asked last: processes of a pod share theirs. */
  #diagnosis: Diagnosis | undefined;

  /** `openThread`: as the kernel has it. */
  constructor(procRoot: string, openThread = openThreadPidfd) {
    this.#procRoot = procRoot;
    this.#openThread = openThread;
    this.#hostNetwork = networkOf(procRoot, firstProcess);
    this.#countsAsHost =
      statSync(join(procRoot, String(firstProcess), 'ns/pid')).ino === statSync('/proc/self/ns/pid').ino;
  }

  /** A monitor of a pod's runtime is in the host's network, and a container that no kubelet started is not. */
  isInItsNetwork(pid: number, isOfHost: boolean): boolean {
    try {
      return (networkOf(this.#procRoot, pid) === this.#hostNetwork) === isOfHost;
    } catch {
      return false;
    }
  }

  /** Tells each socket of the process; yields between descriptors. Throws where it may not be looked into. */
  *look(process: Process, onlooker: Onlooker): Generator<undefined, void> {
    if (!this.#countsAsHost) throw new Error('no hostPID');
    const { pid } = process;
    const handle = ProcessHandle.open(this.#procRoot, pid);
    try {
      const folder = join(this.#procRoot, String(pid));
      if (yield* this.#lookBy({ process, handle, folder, pidfd: openPidfd(pid) }, onlooker)) return;
      const thread = handle.livingThread();
      if (thread === undefined) return;
      const ofThread = join(folder, 'task', String(thread));
      const pidfd = this.#pidfdOf(thread, ofThread);
      if (pidfd !== undefined) yield* this.#lookBy({ process, handle, folder: ofThread, pidfd }, onlooker);
    } finally {
      handle.close();
    }
  }

  /** Undefined where the kernel has none, and nothing is missed without it. */
  #pidfdOf(thread: number, folder: string): number | undefined {
    try {
      return this.#openThread(thread);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      const descriptors = join(folder, 'fd');
      if (!numbersIn(descriptors).some((one) => socketBehind(`${descriptors}/${one}`) !== undefined))
        return undefined;
      throw Object.assign(new Error(firstThreadEnded, { cause: error }), { code: firstThreadEnded });
    }
  }

  /** Whether anything was listed, which is never where the first thread has ended. */
  *#lookBy(
    { process: { pid, group }, handle, folder, pidfd }: Way,
    onlooker: Onlooker,
  ): Generator<undefined, boolean> {
    try {
      // Asked after the descriptor was had: the number cannot have gone to another pod in between, nor from the host to one.
      if (!isInGroup(handle, group)) return true;
      const from = { pidfd, handle, program: handle.program() };
      return yield* this.#lookAt({ pid, descriptors: join(folder, 'fd') }, from, onlooker);
    } finally {
      close(pidfd);
    }
  }

  /** Nothing is held open until the next look. */
  rest(): void {
    this.#diagnosis?.ask.close();
    this.#diagnosis = undefined;
  }

  *#lookAt(
    { pid, descriptors }: { readonly pid: number; readonly descriptors: string },
    from: Source,
    onlooker: Onlooker,
  ): Generator<undefined, boolean> {
    let isAny = false;
    for (const number of numbersIn(descriptors)) {
      isAny = true;
      if (!onlooker.hasRoom()) return true;
      const inode = socketBehind(`${descriptors}/${number}`);
      if (inode !== undefined && onlooker.isNew(pid, inode)) this.#touch({ number, inode }, from, onlooker);
      yield;
    }
    return isAny;
  }

  /**
   * One duplicate at a time, and for as long as its system calls take: while it is open, a program that closes its own
   * sends no FIN, and its epoll still tells of it.
   */
  #touch({ number, inode }: { number: number; inode: number }, from: Source, onlooker: Onlooker): void {
    try {
      const found = TcpSocket.take(from.pidfd, number, inode);
      if (found === 'closed') return;
      if (found === 'other') return onlooker.pass(inode);
      if (found === 'SMC') return onlooker.passForeign(inode, found);
      try {
        this.#ask(found, { ...from, inode }, onlooker);
      } finally {
        found.close();
      }
    } catch (error) {
      const { code, syscall, message } = error as NodeJS.ErrnoException;
      // Who may not take this one may take none of the process; everything else is about this socket alone.
      if (syscall === 'pidfd_getfd') throw error;
      onlooker.refuse(inode, code ?? message);
    }
  }

  /** One that is being opened or closed is told nothing of, so that it is looked at again. */
  #ask(socket: TcpSocket, from: Source & { readonly inode: number }, onlooker: Onlooker): void {
    const facts = factsOf(socket);
    if (facts === undefined) return onlooker.passForeign(from.inode, 'MPTCP');
    if (facts.state === 'other') return;
    const { state, peer, keepalive, values, userTimeoutMs } = facts;
    const loopback = isOfLoopback(socket, facts);
    const found = this.#timerOf(socket, facts, from.handle);
    const timerMs = found === 'unknown' && onlooker.wasArmed(from.inode) ? 'none' : found;
    const seen: ConnectionView = { loopback, keepalive, values, timerMs, userTimeoutMs };
    const tell = (view: ConnectionView) => {
      const told = { state, view, program: from.program, peer: peer ? describeEndpoint(peer) : '' };
      onlooker.meet(from.inode, told, view !== seen);
    };
    const given = loopback ? undefined : neededBy(seen, onlooker);
    if (given === undefined) return tell(seen);
    try {
      socket.keepAlive(given);
    } catch (error) {
      tell(seen);
      throw error;
    }
    if (timerMs === 'unknown') onlooker.arm(from.inode);
    tell({ ...seen, keepalive: true, values: given, timerMs: 'none' });
  }

  /** Only of connections that asked for keepalive: the others have no timer. */
  #timerOf(socket: TcpSocket, facts: SocketFacts, process: ProcessHandle): ConnectionView['timerMs'] {
    const { keepalive, family, peer } = facts;
    if (!keepalive || peer === undefined) return 'none';
    const self = socket.endpoint('self');
    if (self === undefined) return 'unknown';
    const diagnosis = this.#diagnosisOf(process);
    const timerMs = diagnosis.keepaliveTimer({ family, self, peer, device: 0 });
    const device = timerMs === 'unknown' ? socket.device() : 0;
    return device === 0 ? timerMs : diagnosis.keepaliveTimer({ family, self, peer, device });
  }

  #diagnosisOf(process: ProcessHandle): SocketDiagnosis {
    const network = process.openNetworkNamespace();
    try {
      const of = fstatSync(network).ino;
      if (this.#diagnosis?.of !== of) {
        this.rest();
        this.#diagnosis = { of, ask: this.#home.away(network, () => new SocketDiagnosis()) };
      }
      return this.#diagnosis.ask;
    } finally {
      closeSync(network);
    }
  }
}

function neededBy(seen: ConnectionView, { wanted }: Onlooker): Triple | undefined {
  if (wanted === undefined) return undefined;
  const given = tighten(seen, wanted);
  return given && spread(given, wanted, [Math.random(), Math.random()]);
}

/** Undefined of Multipath TCP on a kernel that lets nobody set keepalive on it (before Linux 6.10, multipath-tcp/mptcp_net-next issue 383). */
function factsOf(socket: TcpSocket): SocketFacts | undefined {
  try {
    return socket.facts();
  } catch (error) {
    if (socket.transport === 'MPTCP' && (error as NodeJS.ErrnoException).code === notSupported)
      return undefined;
    throw error;
  }
}

/** What listens has no peer: all that it accepts there, and that inherits its values, is of the loopback too. */
function isOfLoopback(socket: TcpSocket, { state, peer }: SocketFacts): boolean {
  const end = state === 'listening' ? socket.endpoint('self') : peer;
  return end !== undefined && isLoopback(end);
}

const socketLink = /^socket:\[(\d+)\]$/;

/** Undefined for every other file, and for one that was closed meanwhile. */
function socketBehind(path: string): number | undefined {
  try {
    const inode = socketLink.exec(readlinkSync(path))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
