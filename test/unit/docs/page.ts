import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '../../..');

export interface Link {
  /** As written: `../README.md#a-policy`. */
  readonly text: string;
  /** Below the repository's root; of a bare anchor the page itself. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** A Markdown file of this repository. */
export class Page {
  readonly path: string;
  readonly text: string;

  constructor(path: string) {
    this.path = path;
    this.text = readFileSync(join(root, path), 'utf8');
  }

  /** Links to files of the repository; those to elsewhere are left to their owners. */
  get links(): Link[] {
    return [...this.#prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((text) => {
        const [file = '', anchor] = text.split('#');
        return { text, anchor, path: file === '' ? this.path : normalize(join(dirname(this.path), file)) };
      });
  }

  /** What an anchor can lead to, named as the usual renderers name it. */
  get anchors(): Set<string> {
    return new Set([...this.#prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => slug(heading)));
  }

  /** Content of every block fenced as `language`, below this heading if one is told. */
  blocks(language: string, heading?: string): string[] {
    const text = heading === undefined ? this.text : this.#below(heading);
    return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
      .filter(([, name]) => name === language)
      .map(([, , content = '']) => content);
  }

  /** Cells of the first table after a mark or heading, without its head. */
  tableAfter(mark: string): string[][] {
    const at = this.text.indexOf(mark);
    if (at < 0) throw new Error(`${this.path} has no "${mark}"`);
    const [, rows = ''] = /\n\|[-| ]+\|\n((?:\|.*\|\n)+)/.exec(this.text.slice(at)) ?? [];
    return rows
      .trim()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
  }

  /** What stands between a heading of the second level and the next one. */
  #below(heading: string): string {
    const [, rest] = this.text.split(`\n## ${heading}\n`);
    if (rest === undefined) throw new Error(`${this.path} has no heading "${heading}"`);
    return rest.split('\n## ')[0] ?? '';
  }

  get #prose(): string {
    return this.text.replaceAll(/^```.*?^```$/gms, '');
  }
}

/** Every page, by its path below the root. */
export function pages(): Page[] {
  const paths = globSync('**/*.md', {
    cwd: root,
    exclude: (path) => ['node_modules', 'dist'].includes(String(path)),
  });
  return paths.sort().map((path) => new Page(path));
}

function slug(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
