import { request } from 'node:https';

import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { WebhookPart } from '../../../src/controller/webhook-part.ts';
import { World } from '../../../src/controller/world.ts';
import { ApiClient } from '../../../src/kube/client.ts';
import { plain } from '../../../src/kube/connection.ts';
import type { Pair } from '../../../src/ops/certificate.ts';
import { issue } from '../../../src/ops/certificate-issue.ts';
import { readPair } from '../../../src/ops/certificate.ts';
import { createLog } from '../../../src/ops/log.ts';
import type { ControllerMetrics } from '../../../src/ops/controller-metrics.ts';
import { createControllerMetrics } from '../../../src/ops/controller-metrics.ts';
import { policyRecord } from '../../../src/policy/record.ts';
import { FakeApiServer, json, status } from '../../support/api-server.ts';
import { nat } from '../../support/builder.ts';
import { quiet } from './quiet-metrics.ts';

const host = 'webhook.home.svc';
let pair: Pair;
beforeAll(async () => {
  const made = readPair(await issue({ host, now: new Date(), lifeMs: 3_600_000 }));
  if (made === undefined) throw new Error('it cannot be served by');
  pair = made;
});

let server: FakeApiServer;
let client: ApiClient;
let world: World;
let metrics: ControllerMetrics;
let part: WebhookPart;
let isSynced: boolean;
let port: number;

beforeEach(async () => {
  server = await FakeApiServer.start();
  client = new ApiClient(plain(server.url));
  world = new World('keepalive-agent', { mode: 'webhook', home: 'home' });
  metrics = createControllerMetrics({ ...quiet, leading: () => true });
  isSynced = true;
  const log = createLog({ level: 'silent', base: {} });
  const watching = {
    client,
    world,
    log,
    onChange: () => undefined,
  };
  part = new WebhookPart({
    watching,
    metrics,
    address: { host: '127.0.0.1', port: 0 },
    isSynced: () => isSynced,
  });
  const spec = { podSelector: {}, path: nat(90) };
  const record = policyRecord('ClusterKeepalivePolicy', { metadata: { name: 'platform', uid: 'u' }, spec });
  const { effective } = record.policy ?? {};
  if (effective === undefined) throw new Error('it has values');
  world.clusterkeepalivepolicies.set('platform', { ...record, status: { effective } });
  world.namespaces.set('db', { uid: 'n', name: 'db', labels: {} });
  port = await part.listen();
});
afterEach(async () => {
  await part.close();
  await client.close();
  await server.close();
});

const serve = () => {
  const secrets = part.watched.find(({ resource }) => resource === 'secrets');
  secrets?.store.set('home/keepalive-webhook', { uid: 's', pair } as { uid: string });
  part.changed('secrets');
};

function review(namespace: string, operation = 'CREATE') {
  const resource = { group: '', version: 'v1', resource: 'pods' };
  const object = { metadata: { name: 'mongo-0' }, spec: {} };
  return {
    ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
    request: { uid: 'r1', operation, namespace, resource, object },
  };
}

interface Response {
  readonly response: { readonly uid: string; readonly allowed: boolean; readonly patch?: string };
}

function ask(body: unknown): Promise<Response['response']> {
  return new Promise((resolve, reject) => {
    const [ca] = pair.authorities;
    const at = { host: '127.0.0.1', port, path: '/pods', method: 'POST', servername: host, ca, agent: false };
    const call = request(at, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => (text += more));
      response.on('end', () => {
        resolve((JSON.parse(text) as Response).response);
      });
    });
    call.on('error', reject).end(JSON.stringify(body));
  });
}

async function counted(answer: string): Promise<number | undefined> {
  const { values } = (await metrics.registry.getSingleMetric('keepalive_webhook_reviews_total')?.get()) ?? {};
  return values?.find(({ labels }) => labels.answer === answer)?.value;
}

const unchanged = { uid: 'r1', allowed: true };

test('a pod is changed by what this replica knows', async () => {
  serve();
  const answer = await ask(review('db'));
  expect(answer).toMatchObject(unchanged);
  expect(Buffer.from(answer.patch ?? '', 'base64').toString()).toContain('tcp_keepalive_time');
  expect(await counted('changed')).toBe(1);
});

test('in a namespace that was made a moment ago, once it was read', async () => {
  serve();
  server.answers(json({ metadata: {}, items: [{ metadata: { name: 'new', uid: 'n2' } }] }));
  expect((await ask(review('new'))).patch).toBeDefined();
  expect(server.asked[0]?.query).toMatchObject({ fieldSelector: 'metadata.name=new' });
});

describe('a pod passes as it is, and that is counted', () => {
  beforeEach(() => {
    serve();
  });

  test('before everything is known', async () => {
    isSynced = false;
    expect(await ask(review('db'))).toEqual(unchanged);
    expect(await counted('unready')).toBe(1);
  });

  test('where its namespace cannot be read', async () => {
    server.answers(status(500, 'InternalError'));
    expect(await ask(review('elsewhere'))).toEqual(unchanged);
    expect(await counted('unknown')).toBe(1);
  });

  test('where the API server does not tell in time', async () => {
    expect(await ask(review('elsewhere'))).toEqual(unchanged);
    expect(await counted('unknown')).toBe(1);
  });

  test('without anybody being asked, where no namespace can have that name', async () => {
    expect(await ask(review('x'.repeat(70_000)))).toEqual(unchanged);
    expect(await counted('refused')).toBe(1);
    expect(server.asked).toEqual([]);
  });

  test('where it is no question about a new pod', async () => {
    expect(await ask(review('db', 'UPDATE'))).toEqual(unchanged);
    expect(await counted('refused')).toBe(1);
  });

  test('where something fails on the way', async () => {
    Object.defineProperty(world, 'namespaces', {
      get: () => {
        throw new Error('a fault');
      },
    });
    expect(await ask(review('db'))).toEqual(unchanged);
    expect(await counted('failed')).toBe(1);
  });
});
