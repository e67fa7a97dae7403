import { idleTimeoutBounds, idleTimeoutMessages } from '../api/idle-timeout.ts';
import { CommandError } from './terminal.ts';

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const pattern = /^(\d+[smhd])+$/;

/** `90`, `90s`, `4m`, `1h30m`, `5d`: seconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  if (!pattern.test(text)) return undefined;
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (secondsOf[unit] ?? 1),
    0,
  );
}

/** Throws a CommandError in the words of the API server where no hop can forget after so long. */
export function parseTimeout(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) {
    throw new CommandError(
      `--timeout ${text}: write whole seconds, minutes, hours or days, such as 90s, 4m, 1h30m or 5d. ` +
        'A hop that never forgets needs no mention: leave it out',
    );
  }
  if (seconds < idleTimeoutBounds.min)
    throw new CommandError(`--timeout ${text}: ${idleTimeoutMessages.min}`);
  if (seconds > idleTimeoutBounds.max)
    throw new CommandError(`--timeout ${text}: ${idleTimeoutMessages.max}`);
  return seconds;
}
