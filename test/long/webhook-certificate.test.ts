import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { issue } from '../../src/ops/certificate-issue.ts';
import { certificatesIn } from '../../src/ops/certificate.ts';
import { until } from '../cluster/wait.ts';
import { Asked, asksMs, configuration, secret, youngest } from './asked.ts';

/** What may befall the webhook's certificate, and whom API servers trust for it, while pods are made all the time. */
let asked: Asked;
const host = 'keepalive-webhook.keepalive-system.svc';

beforeAll(async () => {
  asked = await Asked.up('e2e-certificate', youngest);
}, asksMs);
afterAll(() => asked.down());

const encoded = (text: string) => Buffer.from(text).toString('base64');
const decoded = (text = '') => Buffer.from(text, 'base64').toString();

async function stored(): Promise<{ certificate: string; authority: string }> {
  const { data } = await asked.bench.json<{ data: Record<string, string> }>(...secret);
  const [authority = ''] = certificatesIn(decoded(data['ca.crt']));
  return { certificate: decoded(data['tls.crt']), authority };
}

interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** By each webhook of the configuration. */
async function trusted(): Promise<string[]> {
  const { webhooks } = await asked.bench.json<Configuration>(...configuration);
  return webhooks.map(({ clientConfig }) => decoded(clientConfig.caBundle));
}

/** Another certificate is stored than this one, and everybody trusts it. */
const untilFollowed = (before: string) =>
  until(
    'another certificate is stored and trusted',
    async () => {
      const { certificate, authority } = await stored().catch(() => ({ certificate: '', authority: '' }));
      const isTrusted = (await trusted()).every((bundle) => bundle.includes(authority));
      return certificate !== '' && certificate !== before && isTrusted;
    },
    { timeoutMs: 180_000, everyMs: 200 },
  );

const patchSecret = (data: Record<string, string>) =>
  asked.cluster.kubectl('patch', ...secret, '--type=merge', '-p', JSON.stringify({ data }));

describe('new pods have the values all the time', () => {
  test('while the Secret is deleted', async () => {
    const { certificate } = await stored();
    const all = await asked.passing.during(async () => {
      await asked.cluster.kubectl('delete', ...secret);
      await untilFollowed(certificate);
    });
    expect(all).toEqual({ given: all.given, passed: 0 });
  }, 240_000);

  test('while it holds garbage', async () => {
    const { certificate } = await stored();
    const all = await asked.passing.during(async () => {
      await patchSecret({ 'tls.crt': encoded('garbage') });
      await untilFollowed('garbage');
    });
    expect(all).toEqual({ given: all.given, passed: 0 });
    expect((await stored()).certificate).not.toBe(certificate);
  }, 240_000);

  test('while the certificate is followed by the next, its time being nearly over', async () => {
    // Two thirds of its time are over at once, and two and a half minutes are left.
    const pair = await issue({ host, now: new Date(), lifeMs: 150_000 });
    await patchSecret({
      'tls.crt': encoded(pair.certificate),
      'tls.key': encoded(pair.key),
      'ca.crt': encoded(pair.authorities.join('')),
    });
    await until('it is trusted', async () => {
      const [authority = 'none'] = certificatesIn(pair.authorities.join(''));
      return (await trusted()).every((bundle) => bundle.includes(authority));
    });
    await asked.untilGiven();
    const all = await asked.passing.during(() => untilFollowed(pair.certificate));
    expect(all).toEqual({ given: all.given, passed: 0 });
  }, 300_000);
});

describe('it comes right by itself', () => {
  test('where the certificate has expired', async () => {
    const { authority } = await stored();
    const hourMs = 3_600_000;
    const pair = await issue({ host, now: new Date(Date.now() - 2 * hourMs), lifeMs: hourMs });
    await patchSecret({
      'tls.crt': encoded(pair.certificate),
      'tls.key': encoded(pair.key),
      'ca.crt': encoded(pair.authorities.join('')),
    });
    await untilFollowed(pair.certificate);
    await asked.untilGiven();
    expect((await stored()).authority).not.toBe(authority);
  }, 240_000);

  test('where somebody wrote a wrong authority into the configuration', async () => {
    const { authority } = await stored();
    const { authorities } = await issue({ host, now: new Date(), lifeMs: 3_600_000 });
    const path = '/webhooks/0/clientConfig/caBundle';
    const patch = JSON.stringify([{ op: 'replace', path, value: encoded(authorities.join('')) }]);
    await asked.cluster.kubectl('patch', ...configuration, '--type=json', '-p', patch);
    await until('the right one is trusted', async () =>
      (await trusted()).every((bundle) => bundle.includes(authority)),
    );
    await asked.untilGiven();
  });
});

test('whom to trust stays when the manifests are applied again', async () => {
  const before = await trusted();
  await asked.cluster.kubectl('apply', '-k', asked.folder);
  expect(await trusted()).toEqual(before);
});
