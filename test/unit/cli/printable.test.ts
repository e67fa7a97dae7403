import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { diagnosisWriters } from '../../../src/cli/doctor-output.ts';
import { explanationWriters } from '../../../src/cli/explain-output.ts';
import { explainPod } from '../../../src/cli/explain-pod.ts';
import { remarkWriters } from '../../../src/cli/remark-output.ts';
import type { Board } from '../../../src/cli/status-board.ts';
import { statusWriters } from '../../../src/cli/status-output.ts';
import { factsOf } from './explained.ts';

/** What a text of somebody else's may hold: an order to the terminal, and a line that passes for one of the tool's own. */
const evil = 'x\u001B[2J\u009B1A\r\nfine     agents: all 3 are ready\u202E';
const plain = (_how: unknown, words: string) => words;

const written = {
  'keepalive status': (words: string) => {
    const board: Board = {
      ...{ wrong: [{ about: words, reason: words, message: words }], policies: [], nodes: [] },
      unknown: [words],
    };
    return statusWriters.text(board, plain);
  },
  'keepalive explain': (words: string) => {
    const explanation = explainPod(factsOf({}));
    return explanationWriters.text({ ...explanation, about: words, todo: [words] }, plain);
  },
  'keepalive doctor': (words: string) =>
    diagnosisWriters.text([{ check: 'agents', is: 'wrong', text: words, todo: words }], {
      style: plain,
      where: words,
    }),
  'keepalive check': (words: string) =>
    remarkWriters.text(
      [
        {
          ...{ kind: 'refused', manifest: undefined, file: words, place: { line: 1, column: 1 } },
          ...{ object: words, message: words },
        },
      ],
      { style: plain, version: '0', seen: '' },
    ),
} as const;

describe.each(Object.entries(written))('%s', (_command, write) => {
  test('neither moves a cursor nor has a line more for what somebody else wrote', () => {
    const text = write(evil);
    expect(text).not.toMatch(/[^\n\P{C}]/u);
    expect(text.split('\n')).toHaveLength(write('x').split('\n').length);
    expect(text).toContain('x [2J 1A fine agents: all 3 are ready');
  });

  test('does so whatever it was', () => {
    const lines = write('x').split('\n').length;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (words) => {
        const text = write(words);
        expect(text).not.toMatch(/[^\n\P{C}]/u);
        expect(text.split('\n')).toHaveLength(lines);
      }),
    );
  });
});
