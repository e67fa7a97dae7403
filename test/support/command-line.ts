import { run } from '../../src/cli/program.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `keepalive ARGV…` in this process, without colours. */
export async function keepalive(
  argv: readonly string[],
  { cwd = process.cwd(), stdin }: { readonly cwd?: string; readonly stdin?: string | Buffer } = {},
): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  const code = await run(argv, {
    cwd,
    out: (text) => void (stdout += text),
    say: (text) => void (stderr += text),
    readStdin: () => Promise.resolve(Buffer.from(stdin ?? '')),
    stdinIsTerminal: stdin === undefined,
    stdinIsPiped: stdin !== undefined,
    stdoutIsTerminal: false,
    style: (_how, text) => text,
    styleSaid: (_how, text) => text,
  });
  return { code, stdout, stderr };
}
