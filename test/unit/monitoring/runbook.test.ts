import { describe, expect, test } from '@jest/globals';

import { alerts, runbookOf } from '../../../scripts/monitoring/alert.ts';
import { Page } from '../docs/page.ts';

const page = new Page('docs/runbook.md');

/** What stands below each heading. */
const sections = new Map(
  page.text.split(/^## /m).map((section) => {
    const [heading = '', ...rest] = section.split('\n');
    return [heading, rest.join('\n')];
  }),
);
const [, ...headings] = sections.keys();

test('the runbook has a section for each alert, in the same order, and no other', () => {
  expect(headings).toEqual(alerts.map(({ name }) => name));
});

describe.each(alerts)('$name', (alert) => {
  const section = sections.get(alert.name) ?? '';

  test('leads to its section', () => {
    const [path, anchor = ''] = runbookOf(alert).split('#');
    expect(path).toBe(page.path);
    expect(page.anchors).toContain(anchor);
  });

  test('says what it means, what breaks, where to look and what to do', () => {
    const parts = [...section.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Means', 'Breaks', 'Look', 'Do']);
    expect(section).toMatch(/\*\*Look\.\*\*\n\n```sh\nkubectl /);
  });

  test('is one line for who is called, and says for how long', () => {
    expect(alert.summary).not.toContain('\n');
    expect(alert.summary.length).toBeLessThan(200);
    expect(alert.minutes).toBeGreaterThanOrEqual(0);
  });

  test('looks back for less than it has to hold, so that what is over at once wakes nobody', () => {
    const minutes = [...alert.expr.matchAll(/\[(\d+)m\]/g)].map(([, count]) => Number(count));
    for (const window of minutes) expect(window).toBeLessThan(alert.minutes);
  });
});
