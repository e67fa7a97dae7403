import { describe, expect, test } from '@jest/globals';

import type { LabelSelector } from '../../../src/api/selector.ts';
import { selects } from '../../../src/policy/label-selector.ts';

const expression = (operator: string, values?: string[], key = 'tier') =>
  ({ matchExpressions: [{ key, operator, ...(values && { values }) }] }) as LabelSelector;

describe('a label selector', () => {
  test.each<[string, LabelSelector, Record<string, string>, boolean]>([
    ['empty selects all', {}, { app: 'mongo' }, true],
    ['matchLabels needs the label', { matchLabels: { app: 'mongo' } }, {}, false],
    ['matchLabels needs its value', { matchLabels: { app: 'mongo' } }, { app: 'web' }, false],
    ['matchLabels takes more labels', { matchLabels: { app: 'mongo' } }, { app: 'mongo', tier: 'db' }, true],
    ['an empty value is a value', { matchLabels: { app: '' } }, {}, false],
    ['In needs one of the values', expression('In', ['db', 'cache']), { tier: 'cache' }, true],
    ['In needs the label', expression('In', ['db']), {}, false],
    ['NotIn takes a pod without the label', expression('NotIn', ['db']), {}, true],
    ['NotIn refuses its values', expression('NotIn', ['db']), { tier: 'db' }, false],
    ['Exists needs the label', expression('Exists'), { tier: '' }, true],
    ['Exists refuses its absence', expression('Exists'), {}, false],
    ['DoesNotExist refuses the label', expression('DoesNotExist'), { tier: 'x' }, false],
    ['names of object members are no labels', expression('Exists', undefined, 'constructor'), {}, false],
    [
      'all of them must hold',
      { matchLabels: { app: 'mongo' }, ...expression('Exists') },
      { app: 'mongo' },
      false,
    ],
  ])('%s', (_sentence, selector, labels, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });
});
