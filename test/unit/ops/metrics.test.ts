import { expect, test } from '@jest/globals';
import { createMetrics } from '../../../src/ops/metrics.ts';

const own = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('keepalive_'));

test('what happened is counted, what is so is read at the scrape', async () => {
  let depth = 1;
  const metrics = createMetrics({
    version: '0.1.0',
    component: 'controller',
    queueDepth: () => depth,
    leading: () => true,
    reflectors: () => [{ resource: 'pods', secondsSinceContact: 12, objects: 3 }],
  });
  metrics.reconciles.inc({ kind: 'KeepalivePolicy', outcome: 'done' });
  metrics.apiRequests.inc({ verb: 'get', resource: 'pods', code: 200 }, 2);
  metrics.reconcileSeconds.observe({ kind: 'KeepalivePolicy' }, 0.02);
  depth = 7;
  expect(await own(metrics)).toEqual(
    expect.arrayContaining([
      'keepalive_reconcile_total{kind="KeepalivePolicy",outcome="done"} 1',
      'keepalive_api_requests_total{verb="get",resource="pods",code="200"} 2',
      'keepalive_reconcile_seconds_bucket{le="0.025",kind="KeepalivePolicy"} 1',
      'keepalive_queue_depth 7',
      'keepalive_leader 1',
      'keepalive_reflector_last_contact_seconds{resource="pods"} 12',
      'keepalive_store_objects{resource="pods"} 3',
      `keepalive_build_info{version="0.1.0",component="controller",node_version="${process.versions.node}"} 1`,
    ]),
  );
});

test('a process shows no metric of a part it does not have', async () => {
  const lines = await own(createMetrics({ version: '0.1.0', component: 'agent' }));
  expect(lines.join('\n')).not.toMatch(/keepalive_(leader|queue_depth|store_objects)/);
});
