import { processesIn, signal } from '../cluster/process.ts';
import type { Bench } from './shared.ts';

/** The programs of all replicas of the controller, as this machine sees them. */
export async function controllersOf(bench: Bench): Promise<ReturnType<typeof processesIn>> {
  const { items } = await bench.json<{ items: readonly { metadata: { uid: string } }[] }>(
    ...['pods', '-n', 'keepalive-system', '-l', 'app.kubernetes.io/component=controller'],
  );
  const all = items
    .flatMap(({ metadata }) => processesIn(metadata.uid))
    .filter(({ argv }) => argv[0] !== '/pause');
  if (all.length < 2) throw new Error(`two replicas run the controller, and ${all.length} were found`);
  return all;
}

/** As if all replicas were short of everything: they hold their connections and answer nothing. */
export async function whileControllersStandStill(bench: Bench, act: () => Promise<void>): Promise<void> {
  const all = await controllersOf(bench);
  for (const one of all) signal(one, 'SIGSTOP');
  try {
    await act();
  } finally {
    for (const one of all) signal(one, 'SIGCONT');
  }
}
