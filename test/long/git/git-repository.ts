import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { runOrThrow } from '../../cluster/command.ts';

/** A repository of Git with one branch, `main`. */
export class GitRepository {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(folder: string): Promise<GitRepository> {
    mkdirSync(folder, { recursive: true });
    const repository = new GitRepository(folder);
    await repository.#git('init', '--quiet', '--initial-branch=main');
    return repository;
  }

  /** Takes folders of elsewhere along, under the same names, into one of its own. */
  copy(from: string, names: readonly string[], into = '.'): void {
    for (const name of names) cpSync(join(from, name), join(this.folder, into, name), { recursive: true });
  }

  /** Files by their paths; undefined takes one out. Gives back the revision. */
  async commit(files: Readonly<Record<string, string | undefined>>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      if (text === undefined) rmSync(file, { force: true });
      else writeFileSync(file, text);
    }
    await this.#git('add', '--all');
    await this.#git('commit', '--quiet', '--allow-empty', '--message', 'x');
    return (await this.#git('rev-parse', 'HEAD')).trim();
  }

  /** Commits one of its files with another text. */
  async rewrite(path: string, to: (text: string) => string): Promise<string> {
    return this.commit({ [path]: to(readFileSync(join(this.folder, path), 'utf8')) });
  }

  async tag(name: string): Promise<void> {
    await this.#git('tag', name);
  }

  #git(...args: readonly string[]): Promise<string> {
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    return runOrThrow(['git', ...who, ...args], { cwd: this.folder, env });
  }
}
