import { keepalive } from '../../support/command-line.ts';

/** What `keepalive check` remarks on what is piped into it: `rule: message`, each in order. */
export async function remarked(text: string, ...argv: string[]): Promise<string[]> {
  const { stdout } = await keepalive(['check', '-f', '-', '-o', 'json', ...argv], { stdin: text });
  return (JSON.parse(stdout) as { rule: string; message: string }[]).map(
    ({ rule, message }) => `${rule}: ${message}`,
  );
}
