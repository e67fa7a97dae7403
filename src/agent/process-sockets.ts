import { closeSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { describeEndpoint, isLoopback } from '../kernel/endpoint.ts';
import { HomeNamespace } from '../kernel/network-namespace.ts';
import { firstProcess, withProcess } from '../kernel/process.ts';
import type { Connection } from '../kernel/socket-timer.ts';
import { keepaliveTimers } from '../kernel/socket-timer.ts';
import { close, openPidfd } from '../kernel/syscall.ts';
import type { SocketFacts, SocketState } from '../kernel/tcp-socket.ts';
import { TcpSocket } from '../kernel/tcp-socket.ts';
import type { ConnectionView } from '../policy/connection.ts';
import { tighten } from '../policy/connection.ts';
import type { Requirement } from '../policy/requirement.ts';
import { isInGroup } from './sandbox.ts';

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
  /** What its sockets are given; undefined: nothing. */
  readonly wanted: Requirement | undefined;
}

/** By inode: as it was seen before, `null` for one that is no TCP, undefined for one that was not seen. */
export type KnownOf = (inode: number) => KnownSocket | null | undefined;
export type OnSocket = (inode: number, socket: KnownSocket | null, repaired: boolean) => void;

/** So many duplicates are held at a time. */
const chunk = 128;

interface Descriptor {
  readonly number: number;
  readonly inode: number;
}

interface Source {
  readonly pidfd: number;
  readonly network: number;
  readonly program: string;
  readonly wanted: Requirement | undefined;
}

interface Taken {
  readonly socket: TcpSocket;
  /** Of the socket that was taken, which may be another than the one that was listed. */
  readonly inode: number;
  facts: SocketFacts | undefined;
  timerMs: ConnectionView['timerMs'];
}

/** The sockets of one process after the other. */
export class ProcessSockets {
  readonly #procRoot: string;
  readonly #knownOf: KnownOf;
  readonly #home = new HomeNamespace();
  readonly #hostNetwork: number;
  /** Otherwise a number of the host's is another process's here. */
  readonly #countsAsHost: boolean;

  constructor(procRoot: string, knownOf: KnownOf) {
    this.#procRoot = procRoot;
    this.#knownOf = knownOf;
    this.#hostNetwork = statSync(join(procRoot, String(firstProcess), 'ns/net')).ino;
    this.#countsAsHost =
      statSync(join(procRoot, String(firstProcess), 'ns/pid')).ino === statSync('/proc/self/ns/pid').ino;
  }

  /** A monitor of a pod's runtime is in the host's network, and a container that no kubelet started is not. */
  isInItsNetwork(pid: number, isOfHost: boolean): boolean {
    try {
      return (statSync(join(this.#procRoot, String(pid), 'ns/net')).ino === this.#hostNetwork) === isOfHost;
    } catch {
      return false;
    }
  }

  /** Tells each socket of the process. Throws where it may not be looked into. */
  look({ pid, group, wanted }: Process, onSocket: OnSocket): void {
    if (!this.#countsAsHost) throw new Error('no hostPID');
    withProcess(this.#procRoot, pid, (process) => {
      const pidfd = openPidfd(pid);
      try {
        // Asked after the descriptor was had: the number cannot have gone to another pod in between.
        if (group !== undefined && !isInGroup(process, group)) return;
        const fresh = this.#freshOf(pid, onSocket);
        if (fresh.length === 0) return;
        const program = readFileSync(join(this.#procRoot, String(pid), 'comm'), 'utf8').trim();
        const network = process.openNetworkNamespace();
        try {
          for (let at = 0; at < fresh.length; at += chunk)
            this.#lookAt(fresh.slice(at, at + chunk), { pidfd, network, program, wanted }, onSocket);
        } finally {
          closeSync(network);
        }
      } finally {
        close(pidfd);
      }
    });
  }

  close(): void {
    this.#home.close();
  }

  /** Descriptors of sockets that were never looked at; the others are told as they were. */
  #freshOf(pid: number, onSocket: OnSocket): Descriptor[] {
    const folder = join(this.#procRoot, String(pid), 'fd');
    return readdirSync(folder).flatMap((number) => {
      const inode = socketBehind(`${folder}/${number}`);
      if (inode === undefined) return [];
      const known = this.#knownOf(inode);
      if (known === undefined) return [{ number: Number(number), inode }];
      onSocket(inode, known, false);
      return [];
    });
  }

  #lookAt(descriptors: readonly Descriptor[], from: Source, onSocket: OnSocket): void {
    const taken: Taken[] = [];
    try {
      for (const { number, inode } of descriptors) {
        const socket = TcpSocket.take(from.pidfd, number);
        if (socket === undefined) onSocket(inode, null, false);
        else taken.push({ socket, inode: socket.inode, facts: undefined, timerMs: 'none' });
      }
      for (const one of taken) one.facts = one.socket.facts();
      this.#readTimers(taken, from.network);
      for (const one of taken) repair(one, from, onSocket);
    } finally {
      for (const { socket } of taken) socket.close();
    }
  }

  /** Only of connections that asked for keepalive: the others have no timer. */
  #readTimers(taken: readonly Taken[], network: number): void {
    const asked = taken.flatMap((one) => {
      const { facts, socket } = one;
      if (facts?.keepalive !== true || facts.peer === undefined) return [];
      one.timerMs = 'unknown';
      const self = socket.endpoint('self');
      return self === undefined
        ? []
        : [{ one, connection: { family: facts.family, self, peer: facts.peer } }];
    });
    if (asked.length === 0) return;
    const connections: Connection[] = asked.map(({ connection }) => connection);
    const timers = this.#home.away(network, () => keepaliveTimers(connections));
    asked.forEach(({ one }, at) => {
      one.timerMs = timers[at] ?? 'unknown';
    });
  }
}

/** One that is being opened or closed is told nothing of, so that it is looked at again. */
function repair(
  { socket, inode, facts, timerMs }: Taken,
  { program, wanted }: Source,
  onSocket: OnSocket,
): void {
  if (facts === undefined || facts.state === 'other') return;
  const { state, peer, keepalive, values, userTimeoutMs } = facts;
  const loopback = peer !== undefined && isLoopback(peer);
  const seen = { loopback, keepalive, values, timerMs, userTimeoutMs };
  const given = wanted === undefined || seen.loopback ? undefined : tighten(seen, wanted);
  if (given !== undefined) socket.keepAlive(given);
  const view: ConnectionView =
    given === undefined ? seen : { ...seen, keepalive: true, values: given, timerMs: 'none' };
  const told = { state, view, program, peer: peer === undefined ? '' : describeEndpoint(peer) };
  onSocket(inode, told, given !== undefined);
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
