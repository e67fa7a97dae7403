import type { Log } from './log.ts';

/** One line for what holds, and one for each thing that could not be read. */
export function tellSettings(
  { settings, problems }: { readonly settings: object; readonly problems: readonly string[] },
  log: Log,
): void {
  log.info({ ...settings }, 'settings');
  for (const problem of problems) log.warn({ problem }, 'settings are not all read');
}
