import { describe, expect, test } from '@jest/globals';

import { documentedCommands } from '../../../scripts/cli-commands.ts';
import { manPages } from '../../../scripts/man-pages.ts';

const pages = manPages();
const { commands } = documentedCommands();
const pageOf = (name: string) => pages.get(`${name}.1`) ?? '';
/** As a reader of the page sees it. */
const plain = (text: string) => text.replaceAll('\\-', '-').replaceAll('\\e', '\\').replaceAll('\\&', '');

describe('the man page of', () => {
  test('the tool names every command, and its page', () => {
    for (const command of commands) expect(plain(pageOf('keepalive'))).toContain(`.B ${command.name()}`);
    for (const name of [...pages.keys()].filter((one) => one !== 'keepalive.1'))
      expect(plain(pageOf('keepalive'))).toContain(`.BR ${name.replace('.1', ' (1)')}`);
  });

  test.each(commands.filter((one) => one.name() !== 'help').map((one) => [one.name(), one] as const))(
    '%s has each of its options, and what it does',
    (name, command) => {
      const page = plain(pageOf(`keepalive-${name}`));
      for (const { flags, description } of command.options) {
        expect(page).toContain(`.B ${flags}`);
        expect(page).toContain(description);
      }
      expect(page).toContain(command.description());
    },
  );

  test('any command is text but for the requests of this house', () => {
    const requests = [...pages.values()].join('\n').match(/^['.].*$/gm);
    expect(new Set(requests?.map((line) => line.split(' ')[0]))).toEqual(
      new Set(['.TH', '.SH', '.TP', '.B', '.BR', '.EX', '.EE']),
    );
  });
});
