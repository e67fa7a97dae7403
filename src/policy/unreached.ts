import type { LeftOut } from './connection.ts';
import type { Draft } from './finding.ts';

const yama = 'kernel.yama.ptrace_scope';

/** EPERM, on a node where Yama has this setting. */
export function refusedUnder(scope: number): string {
  return `EPERM, ${yama} ${scope}`;
}

/** Of a program whose first thread has ended while others go on. */
export const firstThreadEnded = 'EINVAL, first thread ended';

const taken = 'see whether the DaemonSet still has the capabilities and hostPID that its manifest asks for';
const hints: Readonly<Record<string, string>> = {
  ENOSYS: 'the kernel of its node is older than Linux 5.6 and cannot hand over descriptors',
  [firstThreadEnded]:
    'the first thread of its program has ended while others go on, and before Linux 6.9 no kernel hands over descriptors of such a ' +
    'program: let that thread wait for the others (pthread_join), or give the node a newer kernel',
  [refusedUnder(2)]: `that setting asks for SYS_PTRACE: ${taken}`,
  [refusedUnder(3)]:
    'with that setting no process may reach into another, whatever it is allowed, until its node is started with a ' +
    'smaller one (2 is enough)',
};

/** Processes that could not be looked into, or not in all. */
export function failureMessage(code: string, count: number): string {
  const processes = count === 1 ? 'one process' : `${count} processes`;
  return `sockets of ${processes} cannot be looked at (${code}): ${hints[code] ?? taken}`;
}

interface Told {
  readonly reason: 'SocketsNotReachable' | 'TooManySockets' | 'OtherTransport';
  readonly message: (count: string, isOne: boolean) => string;
}

const cause =
  'its program does not let go of it, as while it sends from memory that never comes (userfaultfd, a FUSE file)';
const leftOut: Readonly<Record<LeftOut, Told>> = {
  Hangs: {
    reason: 'SocketsNotReachable',
    message: (count, isOne) =>
      `a system call on ${isOne ? 'one socket' : `${count} sockets`} did not return for seconds, since ${cause}; ` +
      `${isOne ? 'it is' : 'they are'} not touched again while that process lives: end it, or find out what it waits for`,
  },
  PodHangs: {
    reason: 'SocketsNotReachable',
    message: (count) =>
      `system calls on ${count} of its sockets did not return for seconds, so none of its sockets is looked at any more: ` +
      'end the processes that do not let go of them, or recreate the pod',
  },
  OwnerHangs: {
    reason: 'SocketsNotReachable',
    message: (count) =>
      `on this node ${count} processes of the agent wait for system calls that do not return, on sockets of its own or of pods of its ` +
      'namespace, and no more is risked for these: its sockets are not looked at until the programs end that other findings ' +
      'SocketsNotReachable name',
  },
  NodeHangs: {
    reason: 'SocketsNotReachable',
    message: (count) =>
      `on this node ${count} processes of the agent wait for system calls that do not return, and no more is risked: no ` +
      'sockets are looked at until the programs end that other findings SocketsNotReachable name',
  },
  TooMany: {
    reason: 'TooManySockets',
    message: (count, isOne) =>
      `more descriptors are open than one look goes through, so those of ${isOne ? 'one process' : `${count} processes`} ` +
      'were not all looked at, and nobody knows how the rest stands: spread its connections over more pods, or close ' +
      'what is not used',
  },
  TooManyOpen: {
    reason: 'TooManySockets',
    message: (count) =>
      `${count} connections are counted on its node, more than can be told apart, and most of them are here: what is counted on ` +
      'that node may be wrong by some, and what a program loosens may be found late. New connections have their values all the same. ' +
      'Spread its connections over more nodes, or close what is not used',
  },
  Seldom: {
    reason: 'TooManySockets',
    message: (count) =>
      `its sockets are looked at only every ${count} s or so, since looking takes long, here or elsewhere on the node, and ` +
      'the node is left its processors: a connection that is opened meanwhile, or loosened by its program, may be forgotten ' +
      'before it is given keepalive, and counts are as old. Spread connections over more nodes, or let the program ask for ' +
      'keepalive itself and set no values of its own, so that those of its pod serve',
  },
  MPTCP: {
    reason: 'OtherTransport',
    message: (count, isOne) =>
      `${isOne ? 'one socket is' : `${count} sockets are`} of Multipath TCP, on which this kernel lets nobody set keepalive ` +
      '(Linux 6.10 does): set GODEBUG=multipathtcp=0 for a Go program, or start others without mptcpize',
  },
  SMC: {
    reason: 'OtherTransport',
    message: (count, isOne) =>
      `${isOne ? 'one socket is' : `${count} sockets are`} of SMC, whose data may pass beside TCP, and nobody can tell what ` +
      'stands between: let the program use TCP where something between forgets idle connections',
  },
  CountFails: {
    reason: 'SocketsNotReachable',
    message: () =>
      'its connections are counted inside the kernel, and that fails again and again, so nobody knows how they stand: the log ' +
      'of the agent on its node says why, and CONNECTIONS=Descriptors has them counted in another way',
  },
  NoRoom: {
    reason: 'SocketsNotReachable',
    message: () =>
      'some of its connections leave the kernel no room for the mark that they are counted by, as where a large socket filter takes ' +
      'all of net.core.optmem_max, so nobody knows how these stand. Where values are given, they have them all the same, and have ' +
      'them again within half a minute or so where their program loosens them: raise net.core.optmem_max on its node, and in its ' +
      'own network where the kernel has one for each, or have connections counted in another way by CONNECTIONS=Descriptors',
  },
  NotServed: {
    reason: 'SocketsNotReachable',
    message: () =>
      'the kernel does not look after its open connections, and this agent may not look at them by their descriptors: give its ' +
      'DaemonSet hostPID and the capabilities of the larger manifest',
  },
};

/** What is told of sockets that were left out. */
export function leftOutDraft(why: LeftOut, count: number): Pick<Draft, 'reason' | 'say'> {
  const { reason, message } = leftOut[why];
  return { reason, say: () => message(String(count), count === 1) };
}
