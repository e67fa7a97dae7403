import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface ReflectorReading {
  readonly resource: string;
  readonly secondsSinceContact: number;
  readonly objects: number;
}

/** Each registry is one's own; nothing is shared between them. */
export function processRegistry(of: { readonly version: string; readonly component: string }): Registry {
  const registry = new Registry();
  // At the default of 10 ms the event loop of an idle agent would wake a hundred times a second to measure itself.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 250 });
  new Gauge({
    name: 'keepalive_build_info',
    help: 'Always 1; the labels tell which version of which component runs.',
    labelNames: ['version', 'component', 'node_version'],
    registers: [registry],
  }).set({ ...of, node_version: process.versions.node }, 1);
  return registry;
}
