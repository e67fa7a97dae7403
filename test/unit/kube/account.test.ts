import { expect, test } from '@jest/globals';

import { accountOf } from '../../../src/kube/account.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: unknown) => `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;
const serviceaccount = { name: 'keepalive-controller', uid: '8a1f' };

test('a token that is bound to a pod says whose it is', () => {
  const claims = {
    ...{ aud: ['https://kubernetes.default.svc'], exp: 1, sub: 'system:serviceaccount:a:b' },
    'kubernetes.io': {
      ...{ namespace: 'keepalive-system', serviceaccount },
      ...{ node: { name: 'n1', uid: '2' }, pod: { name: 'p', uid: '3' }, warnafter: 4 },
    },
  };
  expect(accountOf(token(claims))).toEqual({ namespace: 'keepalive-system', ...serviceaccount });
});

test.each<[string, string]>([
  ['that is none', 'first'],
  ['that is empty', ''],
  ['whose claims are no JSON', 'a.b.c'],
  ['whose claims are null', token(null)],
  ['of somebody else', token({ sub: 'somebody' })],
  ['that names no account', token({ 'kubernetes.io': { namespace: 'a' } })],
  ['that names no uid', token({ 'kubernetes.io': { namespace: 'a', serviceaccount: { name: 'b' } } })],
  ['of an account without a namespace', token({ 'kubernetes.io': { serviceaccount } })],
])('a token %s does not say', (_, text) => {
  expect(accountOf(text)).toBeUndefined();
});
