import type { Cluster } from '../cluster/cluster.ts';
import { provide } from '../cluster/prepare.ts';
import type { Result } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { StageOptions } from './stage.ts';
import { Stage } from './stage.ts';
import { tryScenario } from './trial.ts';

export interface PerformOptions extends StageOptions {
  readonly say?: (text: string) => void;
}

/** Plays one scenario on a cluster that has the product installed, and clears up after it. */
export async function perform(
  scenario: Scenario,
  cluster: Cluster,
  { say = () => undefined, ...options }: PerformOptions = {},
): Promise<Result> {
  const { signal } = options;
  await provide(scenario.needs ?? {}, signal);
  const stage = new Stage(cluster, scenario.name, options);
  try {
    await stage.openNamespace();
    const result = await tryScenario(stage, scenario, say);
    await stage.clear();
    return result;
  } catch (cause) {
    // What cannot be undone then is no news beside what failed.
    await stage.clear().catch(() => undefined);
    signal?.throwIfAborted();
    throw new Error(`${scenario.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
