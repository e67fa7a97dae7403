import { page } from './world.ts';

/** The command that the page has for whoever sees this. */
export function remedyFor(what: string): string {
  const rows = page.tableAfter('## What you see when something is wrong');
  const remedy = rows.find(([wrong = '']) => wrong.includes(what))?.at(-1) ?? '';
  const [, command] = /`(kubectl [^`]+)`/.exec(remedy) ?? [];
  if (command === undefined) throw new Error(`${page.path} has no command for: ${what}`);
  return command;
}
