import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import type { Settings } from '../../../src/api/settings.ts';
import {
  defaultSettings,
  readSettings,
  SETTINGS_NAME,
  SETTINGS_NAMESPACE,
} from '../../../src/api/settings.ts';

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: Record<string, string>;
}
const shipped = parse(
  readFileSync(join(import.meta.dirname, '../../../deploy/settings.yaml'), 'utf8'),
) as ConfigMap;

test('what is shipped are the defaults, under the name that is read', () => {
  expect(readSettings(shipped.data)).toEqual({ settings: defaultSettings, problems: [] });
  expect(shipped.metadata).toMatchObject({ name: SETTINGS_NAME, namespace: SETTINGS_NAMESPACE });
});

test('an apply of what is shipped never throws the switch back: the key is not in it', () => {
  expect(shipped.data).not.toHaveProperty('acting');
});

test.each<[string, Record<string, string>, Partial<Settings>]>([
  ['a smaller timeout', { smallestIdleTimeoutSeconds: '2' }, { smallestIdleTimeoutSeconds: 2 }],
  ['the largest there is', { smallestIdleTimeoutSeconds: '432000' }, { smallestIdleTimeoutSeconds: 432_000 }],
  ['an interval', { smallestIntervalSeconds: '75' }, { smallestIntervalSeconds: 75 }],
  ['no repair', { openConnections: 'Observe' }, { openConnections: 'Observe' }],
  ['no policy at all', { policiesPerNamespace: '0' }, { policiesPerNamespace: 0 }],
  ['the switch', { acting: 'Audit' }, { acting: 'Audit' }],
  ['the switch, with values going back', { acting: 'AuditAndRestore' }, { acting: 'AuditAndRestore' }],
])('%s is read, and the others stay at their defaults', (_what, data, settings) => {
  expect(readSettings(data)).toEqual({ settings: { ...defaultSettings, ...settings }, problems: [] });
});

describe('what cannot be read leaves the default, and is told', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'a number below what the API knows',
      { smallestIdleTimeoutSeconds: '1' },
      'smallestIdleTimeoutSeconds: expected a whole number from 2 to 432000, got "1": 10, the default, holds',
    ],
    [
      'no limit at all',
      { smallestIdleTimeoutSeconds: '' },
      'smallestIdleTimeoutSeconds: expected a whole number from 2 to 432000, got "": 10, the default, holds',
    ],
    [
      'a sign',
      { policiesPerNamespace: '-1' },
      'policiesPerNamespace: expected a whole number from 0 to 10000, got "-1": 50, the default, holds',
    ],
    [
      'an interval past the longest',
      { smallestIntervalSeconds: '76' },
      'smallestIntervalSeconds: expected a whole number from 1 to 75, got "76": 1, the default, holds',
    ],
    [
      'the switch in small letters, which stops nothing',
      { acting: 'audit' },
      'acting: expected Enforce or Audit or AuditAndRestore, got "audit": Enforce, the default, holds',
    ],
    [
      'a name that is spelled wrong',
      { smallestIdleTimeout: '5' },
      'smallestIdleTimeout is not a setting: there are acting, smallestIdleTimeoutSeconds, smallestIntervalSeconds, openConnections, policiesPerNamespace',
    ],
    [
      'many names, in one problem',
      { a: '', b: '', c: '' },
      'a and 2 more are no settings: there are acting, smallestIdleTimeoutSeconds, smallestIntervalSeconds, openConnections, policiesPerNamespace',
    ],
    [
      'a text without end, of which the beginning is told',
      { acting: 'x'.repeat(900_000) },
      `acting: expected Enforce or Audit or AuditAndRestore, got "${'x'.repeat(40)}…": Enforce, the default, holds`,
    ],
  ])('%s', (_what, data, problem) => {
    expect(readSettings(data)).toEqual({ settings: defaultSettings, problems: [problem] });
  });

  test('no ConfigMap', () => {
    expect(readSettings(undefined)).toEqual({
      settings: defaultSettings,
      problems: ['it is not there: the defaults hold'],
    });
  });
});
