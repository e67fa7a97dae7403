import { X509Certificate } from 'node:crypto';

import 'reflect-metadata';

import { beforeAll, describe, expect, test } from '@jest/globals';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';

import type { KeyPair, Pair } from '../../../src/ops/certificate.ts';
import { issue } from '../../../src/ops/certificate-issue.ts';
import { certificatesIn, isFor, readPair } from '../../../src/ops/certificate.ts';
import type { Situation, TrustStep } from '../../../src/ops/trust.ts';
import { lifeMs, trustStep } from '../../../src/ops/trust.ts';

const host = 'keepalive-webhook.keepalive-system.svc';
const start = new Date('2026-05-04T10:00:00Z');
const day = 86_400_000;
const after = (ms: number) => new Date(start.getTime() + ms);

async function made(now: Date, forHost = host): Promise<Pair> {
  const pair = readPair(await issue({ host: forHost, now, lifeMs }));
  if (pair === undefined) throw new Error('it cannot be served by');
  return pair;
}
const authorityOf = ({ authorities: [first = ''] }: KeyPair) => first;

let one: Pair;
let two: Pair;
let other: Pair;
beforeAll(async () => {
  [one, two, other] = await Promise.all([
    made(start),
    made(after(61 * day)),
    made(start, 'keepalive-webhook.platform.svc'),
  ]);
});

describe('a certificate', () => {
  test('is for a server of that name, from a while ago until its time is over', () => {
    expect(isFor(one, host)).toBe(true);
    expect(isFor(one, 'keepalive-webhook.platform.svc')).toBe(false);
    expect(one.fromMs).toBeLessThan(start.getTime());
    expect(one.untilMs).toBe(start.getTime() + lifeMs);
  });

  test('is signed by an authority that may sign nothing below another', () => {
    const [authority, own] = [authorityOf(one), one.certificate].map((pem) => new X509Certificate(pem));
    expect(own?.checkIssued(authority as X509Certificate)).toBe(true);
    expect([authority?.ca, own?.ca]).toEqual([true, false]);
  });

  test.each<[string, () => KeyPair]>([
    ['nothing', () => ({ certificate: '', key: '', authorities: [] })],
    ['a text', () => ({ ...one, certificate: 'garbage' })],
    ['the key of another one', () => ({ ...one, key: two.key })],
    ['no authority', () => ({ ...one, authorities: [] })],
    ['the authority of another one', () => ({ ...one, authorities: two.authorities })],
    ['half a key', () => ({ ...one, key: one.key.slice(0, 80) })],
  ])('that is %s cannot be served by', (_what, pair) => {
    expect(readPair(pair())).toBeUndefined();
    expect(readPair(one)).toEqual(one);
  });

  test.each([
    [1024, false],
    [2048, true],
  ])('whose key is one of RSA of %i bits can be served by: %p', async (modulusLength, isServable) => {
    const algorithm = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
    };
    const keys = await crypto.subtle.generateKey({ ...algorithm, modulusLength }, true, ['sign', 'verify']);
    const made = await X509CertificateGenerator.createSelfSigned({ name: `CN=${host}`, keys });
    const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    const certificate = made.toString('pem');
    const pair = readPair({ certificate, key, authorities: [certificate] });
    expect(pair !== undefined).toBe(isServable);
  });
});

test('the certificates of a file are found in any layout, and what is none is left out', () => {
  const authority = authorityOf(one);
  const file = `# ours\r\n${authority.replaceAll('\n', '\r\n')}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`;
  expect(certificatesIn(file)).toEqual(certificatesIn(authority));
  expect(certificatesIn(authority)).toEqual([authority]);
  expect(certificatesIn('')).toEqual([]);
});

describe('what is done next', () => {
  const situation = (more: Partial<Situation>): Situation => ({
    ...{ host, now: after(day), stored: one, next: undefined, trusted: [one.authorities, one.authorities] },
    ...more,
  });
  const next = (trustedForMs?: number) => ({ pair: two, trustedForMs });
  const both = () => [authorityOf(two), authorityOf(one)];
  const now = after(61 * day);

  test.each<[string, () => Partial<Situation>, () => TrustStep]>([
    [
      'nothing until two thirds of its time are over',
      () => ({}),
      () => ({ do: 'wait', forMs: (58 + 2 / 3) * day }),
    ],
    ['one is made where none is stored', () => ({ stored: undefined }), () => ({ do: 'make' })],
    [
      'one is made where the stored one is for another name',
      () => ({ stored: other }),
      () => ({ do: 'make' }),
    ],
    ['one is made where its time is over', () => ({ now: after(91 * day) }), () => ({ do: 'make' })],
    [
      'one is made where its time has not come: a clock was ahead',
      () => ({ now: after(-2 * day) }),
      () => ({ do: 'make' }),
    ],
    [
      'one that was made by a clock ahead is not stored over one that is good: it is made anew',
      () => ({ now: after(59.9 * day), next: next(60_000), trusted: [both(), both()] }),
      () => ({ do: 'make' }),
    ],
    [
      'nor is it trusted where none is due yet',
      () => ({ next: next(60_000), trusted: [both(), both()] }),
      () => ({ do: 'trust', authorities: one.authorities }),
    ],
    [
      'a clock that is behind by hours takes what was just made for good',
      () => ({ now: after(-0.5 * day) }),
      () => ({ do: 'wait', forMs: 0.5 * day + 60_000 }),
    ],
    ['one is made to follow it in time', () => ({ now }), () => ({ do: 'make' })],
    [
      'its authority is made known first, beside the one that is served',
      () => ({ now, next: next() }),
      () => ({ do: 'trust', authorities: both() }),
    ],
    [
      'it is not stored before that has settled',
      () => ({ now, next: next(20_000), trusted: [both(), both()] }),
      () => ({ do: 'wait', forMs: 40_000 }),
    ],
    [
      'nor before each webhook trusts it',
      () => ({ now, next: next(), trusted: [both(), one.authorities] }),
      () => ({ do: 'trust', authorities: both() }),
    ],
    [
      'then it is stored, with both',
      () => ({ now, next: next(60_000), trusted: [both(), both()] }),
      () => ({ do: 'store', pair: { ...two, authorities: both() } }),
    ],
    [
      'where nothing was stored it is soon',
      () => ({
        now,
        stored: undefined,
        next: next(2_000),
        trusted: [[authorityOf(two)], [authorityOf(two)]],
      }),
      () => ({ do: 'store', pair: { ...two, authorities: [authorityOf(two)] } }),
    ],
    [
      'what replicas may still serve stays trusted where the Secret was deleted',
      () => ({ now, stored: undefined, next: next() }),
      () => ({ do: 'trust', authorities: both() }),
    ],
    [
      'and goes when they have had their time',
      () => ({ now: after(61 * day + 60_000), stored: two, trusted: [both(), both()] }),
      () => ({ do: 'trust', authorities: two.authorities }),
    ],
    [
      'but not before',
      () => ({ now: after(61 * day + 30_000), stored: two, trusted: [both(), both()] }),
      () => ({ do: 'wait', forMs: 30_000 }),
    ],
    [
      'an authority of somebody else is put right',
      () => ({ trusted: [other.authorities, one.authorities] }),
      () => ({ do: 'trust', authorities: one.authorities }),
    ],
    [
      'so is one that is missing',
      () => ({ trusted: [[], one.authorities] }),
      () => ({ do: 'trust', authorities: one.authorities }),
    ],
    [
      'one whose time is over is not trusted any more',
      () => ({
        now: after(100 * day),
        stored: { ...two, authorities: both() },
        trusted: [both(), both()],
      }),
      () => ({ do: 'trust', authorities: [authorityOf(two)] }),
    ],
  ])('%s', (_sentence, given, expected) => {
    expect(trustStep(situation(given()))).toEqual(expected());
  });

  /** By a clock that is moved by hand, with everything that is written written at once. */
  class Year {
    nowMs = start.getTime();
    stored: Pair | undefined;
    trusted: string[] = [];
    made = 0;
    #pending: Situation['next'];
    #knownMs = 0;

    async step(): Promise<void> {
      const now = new Date(this.nowMs);
      const next = this.#pending && { ...this.#pending, trustedForMs: this.nowMs - this.#knownMs };
      const { stored, trusted } = this;
      const todo = trustStep({ host, now, stored, next, trusted: [trusted, trusted] });
      await this.#do(todo, now);
      this.nowMs += todo.do === 'wait' ? Math.max(1, todo.forMs) : 1;
    }

    async #do(todo: TrustStep, now: Date): Promise<void> {
      switch (todo.do) {
        case 'make':
          this.made += 1;
          this.#pending = { pair: await made(now), trustedForMs: undefined };
          break;
        case 'trust':
          this.trusted = [...todo.authorities];
          this.#knownMs = this.nowMs;
          break;
        case 'store':
          this.stored = readPair(todo.pair);
          this.#pending = undefined;
          break;
        case 'wait':
          break;
      }
    }
  }

  test('for a year whoever calls trusts what is served', async () => {
    const year = new Year();
    for (let steps = 0; year.nowMs < start.getTime() + 365 * day; steps += 1) {
      await year.step();
      const { stored, trusted, nowMs } = year;
      expect(stored === undefined || trusted.includes(authorityOf(stored))).toBe(true);
      expect(stored === undefined || stored.untilMs > nowMs).toBe(true);
      expect(steps).toBeLessThan(200);
    }
    expect(year.made).toBe(7);
    expect(year.trusted.length).toBeLessThanOrEqual(2);
  });
});
