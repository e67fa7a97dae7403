import { CONTROLLER_NAME } from '../api/group.ts';
import { ApiClient } from '../kube/client.ts';
import { systemClock } from '../kube/clock.ts';
import { openConnection } from '../kube/connection.ts';
import type { ControllerConfig } from '../ops/config.ts';
import { HealthServer } from '../ops/health.ts';
import type { Log } from '../ops/log.ts';
import type { ControllerMetrics } from '../ops/controller-metrics.ts';
import { createControllerMetrics } from '../ops/controller-metrics.ts';
import { findAdmission, untilServedOtherwise } from './admission-mode.ts';
import { Controller } from './controller.ts';

export interface RunOptions {
  readonly config: ControllerConfig;
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts, or the API server serves what it did not before, or no more what it did, then hands the lead over and
 * resolves. Rejects with a RequirementError where the cluster lacks what is needed, and where the lead was lost:
 * the process must end then, since another one may act already.
 */
export async function runController(options: RunOptions): Promise<void> {
  const { config, log, environment, version, signal } = options;
  let controller: Controller | undefined;
  // What is watched is decided at the start: by another decision, whoever runs the process starts it again.
  const stop = new AbortController();
  const metrics = createControllerMetrics({
    version,
    queueDepth: () => controller?.queueDepth ?? 0,
    leading: () => controller?.isLeading ?? false,
    reflectors: () => controller?.readings() ?? [],
    policies: () => controller?.policyReadings ?? [],
    policiesInExcess: () => controller?.policiesInExcess ?? 0,
    agents: () => controller?.agents,
  });
  const connection = await openConnection(environment);
  const client = new ApiClient(connection, {
    userAgent: `${CONTROLLER_NAME}/${version}`,
    onExchange: ({ verb, resource, code }) => {
      metrics.apiRequests.inc({ verb, resource, code });
    },
  });
  const health = await serve(config, metrics, () => controller);
  log.info({ ...config.metricsAddress }, 'serving /metrics, /livez and /readyz');
  try {
    const admission = await findAdmission(client, config.admission, { log, signal });
    if (admission === undefined) return;
    void untilServedOtherwise(client, admission, { clock: systemClock, signal: stop.signal }).then(() => {
      const now = admission.servesPolicies ? 'no admission policies any more' : 'admission policies now';
      if (!stop.signal.aborted) log.info(`the API server serves ${now}: starting again`);
      stop.abort();
    });
    const ending = AbortSignal.any([signal, stop.signal]);
    const account = () => connection.account?.();
    controller = new Controller({ config, log, signal: ending, client, account, metrics, admission });
    await controller.run();
  } finally {
    stop.abort();
    await controller?.close();
    await health.close();
    await client.close();
  }
}

function serve(
  { metricsAddress }: ControllerConfig,
  metrics: ControllerMetrics,
  controller: () => Controller | undefined,
): Promise<HealthServer> {
  const unheard = 'the API server has not answered yet';
  return HealthServer.start({
    ...metricsAddress,
    live: {},
    ready: {
      synced: () => {
        const running = controller();
        return running === undefined ? unheard : running.unready.synced();
      },
      contact: () => controller()?.unready.contact(),
    },
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      text: await metrics.registry.metrics(),
    }),
  });
}
