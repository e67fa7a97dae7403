import { expect, test } from '@jest/globals';
import { createLog } from '../../../src/ops/log.ts';

function capture(level: 'info' | 'warn' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { log: createLog({ level, base: { component: 'agent', node: 'n1' }, destination }), lines };
}

test('a line names its level, its time and who speaks', () => {
  const { log, lines } = capture();
  log.info({ pods: 3 }, 'listed');
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      component: 'agent',
      node: 'n1',
      pods: 3,
      msg: 'listed',
    },
  ]);
});

test('what is below the level is not written', () => {
  const { log, lines } = capture('warn');
  log.info('quiet');
  log.warn('loud');
  expect(lines.map(({ msg }) => msg)).toEqual(['loud']);
});

const token = `eyJhbGciOiJSUzI1NiIsImtpZCI6In.${'x'.repeat(40)}.${'y'.repeat(40)}`;

test.each<[string, object, string]>([
  ['a token in the message', {}, `refused ${token} of the pod`],
  [
    'a bearer header, however deep',
    { err: { cause: { headers: { Authorization: `Bearer ${token}` } } } },
    '',
  ],
  ['an opaque bearer token', { header: 'Bearer s3cr3t-value' }, ''],
  ['a field named token', { user: { idToken: 's3cr3t-value' } }, ''],
  ['a password with a quote in it', { password: 's3cr3t"-value' }, ''],
  ['an error with a token', { err: new Error(`bad: ${token}`) }, ''],
])('never written: %s', (_name, facts, message) => {
  const { log, lines } = capture();
  log.info(facts, message);
  const written = JSON.stringify(lines);
  expect(written).toContain('[redacted]');
  expect(written).not.toMatch(/s3cr3t|-value|xxxxx|yyyyy/);
});

test('a word that only looks like it stays', () => {
  const { log, lines } = capture();
  log.info({ reason: 'token of the page expired' }, 'Bearer of news');
  expect(lines[0]).toMatchObject({ reason: 'token of the page expired' });
});
