import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { shortened } from '../../../src/policy/words.ts';

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));

test('a text is cut between characters, and says so', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 12 }), (words, longest) => {
      const characters = [...words];
      const cut = `${characters.slice(0, longest - 1).join('')}…`;
      expect(shortened(words, longest)).toBe(characters.length > longest ? cut : words);
    }),
  );
  expect(shortened('😀'.repeat(1_000_000), 3)).toBe('😀😀…');
});
