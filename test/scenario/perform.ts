import type { Cluster } from '../cluster/cluster.ts';
import { provide } from '../cluster/prepare.ts';
import type { Result } from './result.ts';
import type { Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import { tryScenario } from './trial.ts';

export interface PerformOptions {
  readonly say?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Plays one scenario on a cluster that has the product installed, and clears up after it. */
export async function perform(
  scenario: Scenario,
  cluster: Cluster,
  { say = () => undefined, signal }: PerformOptions = {},
): Promise<Result> {
  await provide(scenario.needs ?? {}, signal);
  const stage = new Stage(cluster, scenario.name, signal);
  try {
    await stage.openNamespace();
    return await tryScenario(stage, scenario, say);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Error(`${scenario.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    await stage.clear();
  }
}
