/** Series as promtool writes them: `1x40` is 1 for 40 minutes, `0+1x40` grows by 1 in each, `_` is none. */
type Series = Readonly<Record<string, string>>;

export interface RuleCase {
  readonly alert: string;
  /** Reads on after "fires" or "stays quiet". */
  readonly when: string;
  readonly series: Series;
  /** Minutes after the start. */
  readonly at: number;
  /** Who is told, and in which words; none where it stays quiet. */
  readonly fires?: { readonly labels: Readonly<Record<string, string>>; readonly summary: string };
}
