import type { Page } from './page.ts';

export interface Command {
  readonly line: string;
  readonly output: string;
}

/** `$ keepalive …` and what stands below it. */
export function commandsOf(page: Page): Command[] {
  return page.blocks('console').flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text): Command => {
        const [line = '', ...output] = text.split('\n');
        return { line, output: output.join('\n') };
      }),
  );
}

/** Those that speak to a cluster run where there is one. */
export function needsCluster({ line }: Command): boolean {
  return /\bkeepalive (status|explain|doctor)\b/.test(line);
}

/** A line of one ellipsis stands for whatever is there, one in a line for the rest of the line. */
export function patternOf(output: string): RegExp {
  const parts = output
    .split(/^…\n/m)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/…$/gm, '.*'));
  return new RegExp(`^${parts.join('[^]*')}$`);
}

/** The files that a page shows, by the name in their first line: `# policies.yaml`. */
export function filesOf(page: Page): Map<string, string> {
  return new Map(
    page.blocks('yaml').flatMap((text) => {
      const name = /^# (\S+\.ya?ml)\n/.exec(text)?.[1];
      return name === undefined ? [] : [[name, text] as const];
    }),
  );
}
