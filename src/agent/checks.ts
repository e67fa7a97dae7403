import type { Watched } from '../kube/watched.ts';
import { notSynced, silent } from '../kube/watched.ts';
import type { HealthOptions } from '../ops/health.ts';
import type { KernelLink } from './kernel-link.ts';
import type { Reporter } from './reporter.ts';
import type { Rounds } from './rounds.ts';

export interface Checked {
  readonly watched: readonly Watched[];
  readonly kernel: Pick<KernelLink, 'isOurTurn' | 'waitingFor' | 'secondsWaiting'>;
  readonly reporter: Pick<Reporter, 'refusal' | 'hasSpoken'>;
  readonly rounds: Pick<Rounds, 'failure'>;
}

/** Past this, the kernel thread hangs in a system call: a new process may fare better. */
const longestWaitSeconds = 120;

/** What the kubelet asks of an agent. */
export function checksOf({
  watched,
  kernel,
  reporter,
  rounds,
}: Checked): Pick<HealthOptions, 'live' | 'ready'> {
  const kernelHangs = () => {
    const seconds = Math.round(kernel.secondsWaiting);
    return seconds > longestWaitSeconds ? `the kernel thread has done nothing for ${seconds} s` : undefined;
  };
  return {
    live: { kernel: kernelHangs },
    ready: {
      synced: () => notSynced(watched),
      contact: () => silent(watched),
      turn: () => notOurTurn(kernel),
      report: () => reporter.refusal ?? notHeard(reporter),
      rounds: () => rounds.failure,
      kernel: kernelHangs,
    },
  };
}

/** What the agent before it said is believed for as long as one is ready, and may be of before a reboot. */
function notHeard({ hasSpoken }: Checked['reporter']): string | undefined {
  return hasSpoken
    ? undefined
    : 'has not reported since it started: it does after its first round, once it is known how connections are reached';
}

/** Two at a time would undo each other's work. */
function notOurTurn({ isOurTurn, waitingFor }: Checked['kernel']): string | undefined {
  const whom = waitingFor ?? 'the kernel thread, which has not begun';
  return isOurTurn
    ? undefined
    : `waits on this node for ${whom}: it takes over when that has ended, so replace agents by maxUnavailable, not by maxSurge`;
}
