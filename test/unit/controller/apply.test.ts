import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { Applier } from '../../../src/controller/apply.ts';
import { Pace } from '../../../src/controller/pace.ts';
import type { StoredBinding } from '../../../src/controller/record.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/clock.ts';
import { plain } from '../../../src/kube/connection.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import { clusterBindingName } from '../../../src/policy/admission.ts';
import { installingMs } from '../../../src/policy/installing.ts';
import { plan } from '../../../src/policy/plan.ts';
import type { PolicyRecord } from '../../../src/policy/record.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { platform, team } from '../../support/builder.ts';
import { notebook } from '../kube/world.ts';
import { circumstances } from '../policy/plan-rig.ts';

const path = '/apis/keepalive.dev/v1alpha1/namespaces/db/keepalivepolicies/team/status';
const record: PolicyRecord = {
  ...{ kind: 'KeepalivePolicy', namespace: 'db', name: 'team', uid: 'u1', generation: 1 },
  ...{ policy: team(90), problems: undefined, status: {} },
};
const seen = circumstances(record);
const planned = plan(seen);
const served = (said: unknown) => ({
  metadata: { namespace: 'db', name: 'team', uid: 'u1', generation: 1, resourceVersion: '2' },
  spec: { podSelector: {}, path: [{ name: 'nat', type: 'NAT', idleTimeoutSeconds: 90 }] },
  status: said,
});

let server: FakeApiServer;
let client: ApiClient;
let world: World;
let applier: Applier;
let events: EventRecorder;
let isLeading: boolean;
beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  world = new World('keepalive-agent');
  world.keepalivepolicies.set('db/team', record);
  const { log } = notebook();
  events = new EventRecorder({ client, log, reportingController: 'x', reportingInstance: 'y' });
  isLeading = true;
  applier = new Applier({
    ...{ client, events, log, world, pace: new Pace(systemClock) },
    isLeading: () => isLeading,
  });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

test('a status is meant for one object, whole, and known at once', async () => {
  server.answers(json(served(planned.status)));
  await applier.apply(seen, planned);
  expect(server.asked).toMatchObject([
    {
      path,
      headers: { 'content-type': 'application/json-patch+json' },
      body: [
        { op: 'test', path: '/metadata/uid', value: 'u1' },
        { op: 'add', path: '/status', value: planned.status },
      ],
    },
  ]);
  expect(world.policy('db/team')?.status).toEqual(planned.status);
});

test('what its answer says of the spec is not taken over: it would be held without a look at it', async () => {
  const { spec, ...answer } = served(planned.status);
  server.answers(json({ ...answer, spec: { ...spec, tomorrow: 'x' } }));
  await applier.apply(seen, planned);
  expect(world.policy('db/team')).toMatchObject({ problems: undefined, status: planned.status });
  expect(world.policy('db/team')?.policy).toBe(record.policy);
});

test('where the object is gone, nothing is written and nothing is wrong', async () => {
  server.answers(status(404, 'NotFound'));
  await applier.apply(seen, planned);
  expect(server.asked).toHaveLength(1);
  expect(world.policy('db/team')).toBe(record);
});

test('where another has its name, the policy is looked at again', async () => {
  server.answers(status(422, 'Invalid'));
  await expect(applier.apply(seen, planned)).rejects.toThrow('422 Invalid');
  expect(world.policy('db/team')).toBe(record);
});

describe('once the lead is lost, nothing is written', () => {
  const ofCluster: PolicyRecord = {
    ...{ kind: 'ClusterKeepalivePolicy', namespace: '', name: 'platform', uid: 'u2', generation: 1 },
    ...{ policy: platform(90), problems: undefined, status: {} },
  };
  const bound = circumstances(ofCluster);
  const methods = () => server.asked.map(({ method }) => method);

  test('whatever was read while it was held', async () => {
    isLeading = false;
    await expect(applier.apply(seen, planned)).rejects.toThrow('the lead is lost');
    await expect(applier.apply(bound, plan(bound))).rejects.toThrow('the lead is lost');
    expect(methods()).toEqual([]);
  });

  test.each([201, 500])('no status after a binding that was under way, answered with %i', async (code) => {
    expect(plan(bound).binding.do).toBe('create');
    server.answers((response) => {
      isLeading = false;
      response.writeHead(code, { 'content-type': 'application/json' }).end('{"metadata":{}}');
    });
    await expect(applier.apply(bound, plan(bound))).rejects.toThrow('the lead is lost');
    expect(methods()).toEqual(['POST']);
  });

  test('no binding is removed whose policy was looked for meanwhile', async () => {
    const name = clusterBindingName('gone');
    world.mutatingadmissionpolicybindings.set(name, { uid: 'b', name, differs: undefined } as StoredBinding);
    server.answers((response, asked) => {
      isLeading = false;
      return status(404, 'NotFound')(response, asked);
    });
    await expect(applier.clearOrphan('gone')).rejects.toThrow('the lead is lost');
    expect(methods()).toEqual(['GET']);
  });
});

test('what was waited for is news once it has stalled, and is told no second time', async () => {
  const installation = { missing: ['MutatingAdmissionPolicy a'], differing: [] };
  const waiting = plan(circumstances(record, { installation }));
  const told = (text: PolicyRecord['status']) =>
    circumstances({ ...record, status: text }, { installation, activatingForMs: installingMs });
  const stalled = plan(told(waiting.status));
  server.otherwise = json(served(stalled.status));
  const news = async () => {
    await events.flush();
    return server.asked.flatMap(({ body }) => (body as { reason?: string }).reason ?? []);
  };
  await applier.apply(circumstances(record, { installation }), waiting);
  expect(await news()).toEqual([]);
  await applier.apply(told(waiting.status), stalled);
  expect(await news()).toEqual(['AdmissionMissing']);
  await applier.apply(told(stalled.status), plan(told(stalled.status)));
  expect(await news()).toEqual(['AdmissionMissing']);
});
