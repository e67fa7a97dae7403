import { createAgentMetrics } from '../../../src/ops/agent-metrics.ts';

await createAgentMetrics({ version: '0', places: () => 1, reflectors: () => [] }).registry.metrics();
