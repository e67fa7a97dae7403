/** Figures of a bench that belong together: a table for people, the same rows as JSON for programs. */
export interface Result {
  readonly bench: string;
  /** What was measured, on what, so that a number can be judged. */
  readonly setting: string;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly what: string;
  /** Figure by its name with its unit: `p50 ms`, `RSS MiB`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Sizes, for a bench that has some. */
export interface BenchOptions {
  readonly nodes?: number;
  readonly pods?: number;
  readonly policies?: number;
}

export type Bench = (say: (text: string) => void, options: BenchOptions) => Promise<readonly Result[]>;

export function table({ bench, setting, rows }: Result): string {
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const lines = [
    ['', ...names],
    ...rows.map(({ what, figures }) => [
      what,
      ...names.map((name) => (name in figures ? format(figures[name]) : '')),
    ]),
  ];
  const widths = ['', ...names].map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  return [`${bench}: ${setting}`, ...lines.map((line) => `  ${line.map(pad).join('  ')}`)].join('\n');
}

function format(figure: number | undefined): string {
  return figure === undefined ? '' : figure >= 100 ? figure.toFixed(0) : figure.toFixed(2);
}

/** The smallest value that so many percent of all do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

export function latencies(ms: readonly number[]): Row['figures'] {
  return {
    'p50 ms': percentile(ms, 50),
    'p95 ms': percentile(ms, 95),
    'p99 ms': percentile(ms, 99),
    n: ms.length,
  };
}

/** What was done to so many sockets, some times over, in milliseconds each. */
export function perSocket(what: string, ms: readonly number[], sockets: number): Row {
  const p50 = percentile(ms, 50);
  return { what, figures: { 'p50 ms': p50, 'µs a socket': (p50 * 1000) / sockets, rounds: ms.length } };
}
