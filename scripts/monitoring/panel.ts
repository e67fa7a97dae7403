/** One query of a panel, as Prometheus is asked it; `$…` are variables of the dashboard. */
export interface Query {
  readonly expr: string;
  /** What a line is called. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  /** For whoever wonders what it shows. */
  readonly about: string;
  /** `lines` over time, one `number` of now, or a `table` of now. */
  readonly form: 'lines' | 'number' | 'table';
  /** As Grafana names units. */
  readonly unit?: 'short' | 's' | 'ops' | 'bytes';
  readonly queries: readonly Query[];
}

export interface DashboardSpec {
  /** The name of its file, and what its address in Grafana ends with. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Variables that narrow it down, by name: the label of policies whose values they have. */
  readonly filters: Readonly<Record<string, string>>;
  readonly rows: Readonly<Record<string, readonly PanelSpec[]>>;
}
