import { catalogue } from './catalogue.ts';

const metrics = new Map(catalogue().map((metric) => [metric.name, metric]));

/** Labels that the product itself gives the series of that name; those of a scrape are not among them. */
function labelsOf(series: string): readonly string[] {
  const metric = metrics.get(series) ?? metrics.get(series.replace(/_(bucket|sum|count)$/, ''));
  if (metric === undefined) throw new Error(`there is no metric ${series}`);
  return series.endsWith('_bucket') ? [...metric.labels, 'le'] : metric.labels;
}

/**
 * By which a ruler of several clusters tells them apart, and Prometheus beside whom it may be an external label. Where series have
 * none, nothing is otherwise for it.
 */
export const clusterLabel = 'cluster';

/**
 * What is read of series, from each process once, so that it can be summed up: two jobs may scrape the same pods, one by
 * their annotations, the other by a PodMonitor.
 */
export function once(series: string, read: (series: string) => string = (all) => all): string {
  return `max by (${[clusterLabel, 'instance', ...labelsOf(series)].join(', ')}) (${read(series)})`;
}
