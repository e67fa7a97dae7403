import pino from 'pino';

export interface LogOptions {
  readonly level: pino.LevelWithSilent;
  /** On every line: `{ component: 'agent', node: 'n1' }`. */
  readonly base: Readonly<Record<string, string>>;
  /** Default standard output, written at once: a line must not be lost with the process. */
  readonly destination?: pino.DestinationStream;
}

export type Log = pino.Logger;

/**
 * A JSON web token, a bearer header, the value of a field named for a secret. Errors of libraries may carry
 * headers at any depth, so the finished line is searched, not a list of paths.
 */
const secrets =
  /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?<=\bBearer\s)[\w.~+/=-]+|(?<="(?:[\w-]*token|authorization|password|secret)":")(?:[^"\\]|\\.)+/gi;

/** One JSON object a line; times in RFC 3339. */
export function createLog({ level, base, destination }: LogOptions): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { ...base },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: (line) => line.replace(secrets, '[redacted]') },
  };
  return pino(options, destination ?? pino.destination({ sync: true }));
}
