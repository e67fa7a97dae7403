import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface WebhookMetrics {
  readonly reviews: Counter<'answer'>;
  readonly reviewSeconds: Histogram;
}

/** What only a controller has to tell that is asked by the API server; `untilMs`: of the certificate that it serves by. */
export function createWebhookMetrics(
  { registry }: { readonly registry: Registry },
  untilMs: () => number | undefined,
): WebhookMetrics {
  const registers = [registry];
  new Gauge({
    name: 'keepalive_webhook_certificate_until_seconds',
    help: 'Until when the certificate is good that this replica serves its webhook by, in seconds since 1970. It is followed by another one when a third of its time is left, a month; 0 before there is one.',
    registers,
    collect() {
      this.set((untilMs() ?? 0) / 1000);
    },
  });
  return {
    reviews: new Counter({
      name: 'keepalive_webhook_reviews_total',
      help: 'Pods that the API server asked this replica about, by what it was told: changed, left (nothing is asked of it, or its values are enough), question (of the controller itself), unready (not everything is known yet), unknown (its namespace is not), refused (no review that can be read), failed. All but changed let the pod pass as it is, and the agent of its node looks after it.',
      labelNames: ['answer'],
      registers,
    }),
    reviewSeconds: new Histogram({
      name: 'keepalive_webhook_review_seconds',
      help: 'Time from a question about a pod being read to its answer being sent.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 0.5],
      registers,
    }),
  };
}
