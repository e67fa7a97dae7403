import type { Registry } from 'prom-client';

import { createAgentMetrics } from '../../src/ops/agent-metrics.ts';
import { createControllerMetrics } from '../../src/ops/controller-metrics.ts';
import { createWebhookMetrics } from '../../src/ops/webhook-metrics.ts';

export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram' | 'summary';
  readonly labels: readonly string[];
  readonly help: string;
  /** Whose it is, as a reader of the page knows them. */
  readonly of: string;
}

/** Every metric of ours, as the registries have them that are scraped: there is no second list. */
export function catalogue(): Metric[] {
  const agent = ofRegistry(agentRegistry(), 'agent');
  const controller = ofRegistry(controllerRegistry(), 'controller');
  const webhook = ofRegistry(webhookRegistry(), 'controller, with the webhook');
  const both = agent.filter(({ name }) => controller.some((other) => other.name === name));
  const names = (some: readonly Metric[]) => new Set(some.map(({ name }) => name));
  const [common, plain] = [names(both), names(controller)];
  return [
    ...both.map((metric) => ({ ...metric, of: 'both' })),
    ...controller.filter(({ name }) => !common.has(name)),
    ...webhook.filter(({ name }) => !plain.has(name)),
    ...agent.filter(({ name }) => !common.has(name)),
  ];
}

function agentRegistry(): Registry {
  return createAgentMetrics({ version: '', places: () => 0, reflectors: () => [] }).registry;
}

function controllerRegistry(): Registry {
  return createControllerMetrics({
    ...{ version: '', queueDepth: () => 0, leading: () => true, reflectors: () => [] },
    ...{ policies: () => [], policiesInExcess: () => 0, agents: () => undefined },
  }).registry;
}

function webhookRegistry(): Registry {
  const registry = controllerRegistry();
  createWebhookMetrics({ registry }, () => undefined);
  return registry;
}

/** The library keeps what it was given, and has no type for it. */
interface Kept extends Pick<Metric, 'name' | 'type' | 'help'> {
  readonly labelNames: readonly string[];
}

function ofRegistry(registry: Registry, of: string): Metric[] {
  const kept = registry.getMetricsAsArray() as unknown as Kept[];
  return kept
    .filter(({ name }) => name.startsWith('keepalive_'))
    .map(({ name, type, help, labelNames }) => ({ name, type, help, labels: labelNames, of }));
}
