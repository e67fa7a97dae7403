import { describe, expect, test } from '@jest/globals';

import type { Admission } from '../../../src/controller/admission-mode.ts';
import { Controller } from '../../../src/controller/controller.ts';
import { knowsEnoughToAnswer, unreadyOf } from '../../../src/controller/readiness.ts';
import type { ResourceName } from '../../../src/controller/resource.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { Identified } from '../../../src/kube/store.ts';
import { Store } from '../../../src/kube/store.ts';
import type { Watched } from '../../../src/kube/watched.ts';
import { controllerConfig, readConfig } from '../../../src/ops/config.ts';
import { createControllerMetrics } from '../../../src/ops/controller-metrics.ts';
import { createLog } from '../../../src/ops/log.ts';
import { until } from '../../cluster/wait.ts';
import { FakeApiServer, json, status, stream } from '../../support/api-server.ts';
import { quiet } from './quiet-metrics.ts';

const all: readonly ResourceName[] = [
  ...(['keepalivepolicies', 'clusterkeepalivepolicies', 'namespaces', 'nodekeepalives', 'pods'] as const),
  ...(['nodes', 'configmaps', 'daemonsets', 'deployments', 'secrets'] as const),
  ...(['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'] as const),
  'mutatingwebhookconfigurations',
];
/** Without them nobody knows what a pod is to be given. */
const deciding: readonly ResourceName[] = ['keepalivepolicies', 'clusterkeepalivepolicies', 'namespaces'];
const policies: readonly ResourceName[] = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'];

interface Fault {
  readonly unsynced?: ResourceName;
  readonly lost?: ResourceName;
}

function worldWith({ unsynced, lost }: Fault): Watched[] {
  return all.map((resource) => {
    const store = new Store<Identified>();
    if (resource !== unsynced) expect([...store.replacement().commit()]).toEqual([]);
    const secondsSinceContact = resource === lost ? 3600 : 0;
    return {
      ...{ resource, store },
      reflector: {
        ...{ secondsInterrupted: secondsSinceContact, secondsSinceContact, whenSynced: Promise.resolve() },
        run: () => Promise.resolve(),
        interruptedBy: undefined,
      },
    };
  });
}

describe.each(all)('a replica whose watch of %s', (resource) => {
  test('is answered no more is not asked about new pods where it decides by that, and else it is', () => {
    const unready = unreadyOf('webhook', worldWith({ lost: resource }));
    const expected = deciding.includes(resource) ? `nothing heard of ${resource} for 3600 s` : undefined;
    expect({ contact: unready.contact(), synced: unready.synced() }).toEqual({ contact: expected });
  });

  test('was never whole takes nobody’s place, but for what nothing of the webhook depends on', () => {
    const unready = unreadyOf('webhook', worldWith({ unsynced: resource }));
    const expected = policies.includes(resource) ? undefined : `still reading ${resource}`;
    expect({ contact: unready.contact(), synced: unready.synced() }).toEqual({ synced: expected });
  });

  test('was never whole answers by what it knows where that is all that decides', () => {
    expect(knowsEnoughToAnswer(worldWith({ unsynced: resource }))).toBe(!deciding.includes(resource));
  });

  test('fails in either way is not ready where policies change new pods, which wait for no replica', () => {
    expect(unreadyOf('policy', worldWith({ lost: resource })).contact()).toContain(resource);
    expect(unreadyOf('policy', worldWith({ unsynced: resource })).synced()).toContain(resource);
  });
});

const wholeList = {
  type: 'BOOKMARK',
  object: {
    metadata: { resourceVersion: '5', annotations: { 'k8s.io/initial-events-end': 'true' } },
  },
};

test('a control plane that serves no policies any more, or not in each of its servers, keeps no webhook from being ready', async () => {
  const server = await FakeApiServer.start();
  server.otherwise = (response, asked) => {
    if (asked.path.includes('mutatingadmissionpolic')) return status(404, 'NotFound')(response, asked);
    if (asked.query['watch'] !== undefined) return stream(wholeList)(response, asked);
    return json({ metadata: { resourceVersion: '5' }, items: [] })(response, asked);
  };
  const client = new ApiClient(plain(server.url));
  const ending = new AbortController();
  const address = { METRICS_ADDRESS: '127.0.0.1:0', WEBHOOK_ADDRESS: '127.0.0.1:0' };
  const admission: Admission = { mode: 'webhook', servesPolicies: true };
  const controller = new Controller({
    ...{ client, admission, signal: ending.signal },
    config: readConfig(controllerConfig, address),
    log: createLog({ level: 'silent', base: {} }),
    metrics: createControllerMetrics(quiet),
  });
  expect(controller.unready.synced()).toContain('still reading');
  const running = controller.run();
  await until('the replica is ready', () => controller.unready.synced() === undefined);
  expect(controller.isLeading).toBe(false);
  ending.abort();
  await running;
  await controller.close();
  await client.close();
  await server.close();
});
