import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';

import product from '../../package.json' with { type: 'json' };
import { loadProduct } from '../cluster/install.ts';
import { sleeper } from '../e2e/shared.ts';
import { buildHelms, helmNames } from '../support/helm.ts';
import { sourceBefore, versionBefore } from '../support/version-before.ts';
import { Asked, asksMs, replicas, secret, youngest } from './asked.ts';
import { Releases } from './release.ts';

/** What every upgrade is where the API server asks the webhook: two versions of it answer, while a pod is made every moment. */
let asked: Asked;
const work = mkdtempSync(join(tmpdir(), 'keepalive-before-webhook-'));
const chartBefore = join(work, 'before/deploy/chart');
const home = 'keepalive-system';
const namespace = 'e2e-upgrade-webhook';
const byWebhook = ['--set', 'admission=webhook'];
const ofBefore = [...byWebhook, '--set', `image.tag=${versionBefore}`];
// Every test waits for programs of two versions to follow each other.
jest.setTimeout(600_000);

beforeAll(async () => {
  await buildHelms();
  mkdirSync(join(work, 'before'));
  await sourceBefore(join(work, 'before'));
  asked = await Asked.up(namespace, youngest, async ({ cluster }) => {
    await loadProduct(cluster, undefined, { folder: join(work, 'before'), tag: versionBefore });
    await loadProduct(cluster);
    await new Releases(cluster, 'Helm 4', chartBefore).install('keepalive', home, ...ofBefore);
  });
}, asksMs);
afterAll(async () => {
  rmSync(work, { recursive: true });
  await asked.down();
});

const image = (tag: string) => `keepalive.dev/keepalive-operator:${tag}`;

interface Replica {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Which of them run which version: of those that the Service sends API servers to. */
async function running(): Promise<ReadonlyMap<string, string>> {
  const controllers = ['-n', home, '-l', 'app.kubernetes.io/component=controller'];
  const { items } = await asked.bench.json<{ items: readonly Replica[] }>('pods', ...controllers);
  const ready = items.filter(({ status }) =>
    status.conditions?.some(({ type, status: said }) => type === 'Ready' && said === 'True'),
  );
  return new Map(ready.map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image ?? '']));
}

const untilAllRun = (tag: string) =>
  asked.bench.until(`two replicas of ${tag} answer, and no other`, async () => {
    const images = [...(await running()).values()];
    return images.length === 2 && images.every((one) => one === image(tag));
  });

/** Of pods that are made meanwhile and for a second after. */
async function passesNobody(act: () => Promise<unknown>): Promise<void> {
  const seen = await asked.passing.during(act);
  expect(seen).toEqual({ given: seen.given, passed: 0 });
}

async function startsWithValues(name: string): Promise<void> {
  await asked.bench.start(sleeper(name, namespace));
  const made = await asked.bench.json<{ spec: { securityContext?: { sysctls?: unknown[] } } }>(
    ...['pod', name, '-n', namespace],
  );
  expect(made.spec.securityContext?.sysctls).toHaveLength(3);
  expect(await asked.bench.valuesIn(name, namespace)).toBe('30/10/6');
}

/** Whoever leads makes it and tells whom to trust; each that answers serves by it. */
async function follow(): Promise<void> {
  const uid = async () =>
    (await asked.bench.json<{ metadata: { uid: string } }>(...secret).catch(() => undefined))?.metadata.uid;
  const before = await uid();
  await asked.cluster.kubectl('delete', ...secret);
  await asked.bench.until('another certificate is stored', async () => {
    const now = await uid();
    return now !== undefined && now !== before;
  });
}

describe.each(helmNames)('by %s', (name) => {
  let before: Releases;
  let now: Releases;
  beforeAll(async () => {
    before = new Releases(asked.cluster, name, chartBefore);
    now = new Releases(asked.cluster, name);
    // One begins as the other did: with the version before, and nothing of another Helm.
    await before.uninstall('keepalive', home);
    await before.install('keepalive', home, ...ofBefore);
    await asked.bench.status(asked.team);
    await asked.untilGiven();
  }, 400_000);

  test('an upgrade lets no pod pass', async () => {
    await passesNobody(async () => {
      await now.upgrade('keepalive', home, '--reset-then-reuse-values', '--set', 'image.tag=');
      await untilAllRun(product.version);
      await asked.bench.status(asked.team);
    });
    await startsWithValues('upgraded');
  });

  test('a rollback lets none pass either', async () => {
    await passesNobody(async () => {
      await now.rollback('keepalive', home, 1);
      await untilAllRun(versionBefore);
      await asked.bench.status(asked.team);
    });
    await startsWithValues('rolled-back');
    await asked.cluster.kubectl('delete', 'pods', '-n', namespace, '--all', '--grace-period=1');
  });
});

/** Below what a Deployment may take to get on. */
const heldSeconds = 500;
/** A replica that is ready counts as available so late that no other is replaced meanwhile. */
const hold = (seconds: number | null) =>
  asked.cluster.kubectl('patch', ...replicas, '-p', JSON.stringify({ spec: { minReadySeconds: seconds } }));

describe('two versions beside each other', () => {
  test.each([
    [versionBefore, product.version],
    [product.version, versionBefore],
  ])(
    'led by %s with one of %s, answer all the same, also while the certificate is followed by another',
    async (leading, beside) => {
      await untilAllRun(leading);
      await passesNobody(async () => {
        await hold(heldSeconds);
        await asked.cluster.kubectl('set', 'image', ...replicas, `controller=${image(beside)}`);
        await asked.bench.until('both versions are there', async () => {
          const images = [...(await running()).values()].sort();
          return images.join() === [image(leading), image(leading), image(beside)].sort().join();
        });
        await follow();
        const before = await asked.answers();
        await asked.bench.until('each replica has changed a pod', async () => {
          await Promise.all(Array.from({ length: 8 }, () => asked.passing.isGiven()));
          const after = await asked.answers();
          return [...before].every(([pod, { changed }]) => (after.get(pod)?.changed ?? 0) > changed);
        });
        await hold(null);
        await asked.cluster.kubectl('rollout', 'status', ...replicas, '--timeout=180s');
        await untilAllRun(beside);
      });
      await startsWithValues(`after-${beside.replaceAll('.', '-')}`);
    },
  );
});
