import { expect, test } from '@jest/globals';

import { Page } from './page.ts';

const page = new Page('docs/performance.md');
const measuredOf = (promise: string) =>
  page.tableAfter('## Promises').find(([what = '']) => what === promise)?.[2] ?? '';

test('what is promised of sockets is beside what the newest run of their bench has measured', () => {
  const [, each = 'none'] = /\| repaired at first sight[^|]*\| *(\d+) \|/.exec(page.text) ?? [];
  expect(measuredOf('one open socket repaired by descriptors')).toMatch(new RegExp(`^${each} µs\\b`));
  const [, share = 'none'] = /are counted every 60 s: ([\d.]+ %) of a core/.exec(page.text) ?? [];
  expect(measuredOf('a steady scan of 250 pods and 10,000 sockets')).toMatch(new RegExp(`^${share}`));
});
