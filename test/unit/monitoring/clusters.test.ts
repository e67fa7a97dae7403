import { expect, test } from '@jest/globals';

import { alerts } from '../../../scripts/monitoring/alert.ts';
import { dashboardJson, dashboards } from '../../../scripts/monitoring/dashboard.ts';

/** Several clusters may be in one place, and the label that tells them apart be missing elsewhere. */
test.each(alerts.map(({ name, expr }) => [name, expr] as const))(
  '%s adds up over no two clusters: %s',
  (_name, expr) => {
    const groups = [...expr.matchAll(/\b(?:sum|max|min|count|on)\b ?(?:by )?\(([^()]*)/g)];
    expect(groups.length).toBeGreaterThan(0);
    for (const [whole, labels = ''] of groups)
      expect([whole, labels.split(', ')[0]]).toEqual([whole, 'cluster']);
  },
);

interface Board {
  readonly templating: { readonly list: readonly { readonly name: string; readonly allValue?: string }[] };
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
}

test.each(dashboards)('each panel of $name is of the clusters that are chosen, or of all', (one) => {
  const { templating, panels } = JSON.parse(dashboardJson(one)) as Board;
  expect(templating.list).toContainEqual(expect.objectContaining({ name: 'cluster', allValue: '.*' }));
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(asked.length).toBeGreaterThan(5);
  for (const expr of asked)
    expect(expr.replaceAll(/\b(?:keepalive|process)_\w+\{cluster=~"\$cluster"[,}]/g, '')).not.toMatch(
      /\b(?:keepalive|process)_\w/,
    );
});
