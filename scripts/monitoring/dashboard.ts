import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Numbers } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as Lines } from '@grafana/grafana-foundation-sdk/timeseries';

import { clusterLabel } from './once.ts';
import { operatorDashboard } from './operator-dashboard.ts';
import type { DashboardSpec, PanelSpec, Query } from './panel.ts';
import { policiesDashboard } from './policies-dashboard.ts';

export const dashboards: readonly DashboardSpec[] = [operatorDashboard, policiesDashboard];

/** Which Prometheus is asked is chosen on the page. */
const source = { type: 'prometheus', uid: '${datasource}' };

/** What a row of panels is wide, in Grafana's own units. */
const rowWidth = 24;

/** What Grafana imports. */
export function dashboardJson({ name, title, about, filters, rows }: DashboardSpec): string {
  const dashboard = new DashboardBuilder(title)
    .uid(name)
    .description(about)
    .tags(['keepalive-operator'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-3h', to: 'now' })
    .refresh('1m')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const [variable, label] of Object.entries({ [clusterLabel]: clusterLabel, ...filters }))
    dashboard.withVariable(filterOf(variable, label));
  for (const [row, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(row));
    const width = Math.floor(rowWidth / Math.min(panels.length, 3));
    for (const panel of panels) dashboard.withPanel(panelOf(panel).span(width));
  }
  return `${JSON.stringify(dashboard.build(), undefined, 2)}\n`;
}

function filterOf(variable: string, label: string): QueryVariableBuilder {
  return (
    new QueryVariableBuilder(variable)
      .label(variable)
      .datasource(source)
      .query(
        `label_values(${label === clusterLabel ? 'keepalive_build_info' : 'keepalive_policy_enforced'}, ${label})`,
      )
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .multi(true)
      .includeAll(true)
      // Else a cluster policy, which has no namespace, would be none of all, and so would series without a cluster.
      .allValue('.*')
      .current({ selected: true, text: 'All', value: '$__all' })
  );
}

function panelOf({ title, about, form, unit = 'short', queries }: PanelSpec): Lines | Numbers | Table {
  const builder = { lines: Lines, number: Numbers, table: Table }[form];
  const panel = new builder().title(title).description(about).datasource(source).unit(unit).height(7);
  for (const [at, query] of queries.entries()) panel.withTarget(targetOf(query, form, at));
  return panel;
}

/** What is asked of the clusters that are chosen on the page. */
function inCluster(expr: string): string {
  const chosen = `${clusterLabel}=~"$${clusterLabel}"`;
  return expr.replaceAll(/\b(?:keepalive|process)_\w+\{?/g, (series) =>
    series.endsWith('{') ? `${series}${chosen}, ` : `${series}{${chosen}}`,
  );
}

function targetOf({ expr, legend }: Query, form: PanelSpec['form'], at: number): DataqueryBuilder {
  const target = new DataqueryBuilder()
    .expr(inCluster(expr))
    .legendFormat(legend)
    .datasource(source)
    .refId(String.fromCodePoint('A'.codePointAt(0)! + at));
  return form === 'lines' ? target.range() : target.instant();
}
