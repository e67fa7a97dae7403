import type { ControllerMetricSources } from '../../../src/ops/controller-metrics.ts';

/** Of a controller that has nothing to tell. */
export const quiet: ControllerMetricSources = {
  ...{ version: '0', queueDepth: () => 0, leading: () => false },
  ...{ policies: () => [], policiesInExcess: () => 0, agents: () => undefined, reflectors: () => [] },
};
