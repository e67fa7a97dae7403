import sequencer from '@jest/test-sequencer';

// Its types are those of a CommonJS module, and it has another for who imports it.
const Sequencer = sequencer as unknown as typeof sequencer.default;
type Tests = Parameters<sequencer.default['sort']>[0];

/**
 * Suites that share a cluster run in the order of their paths, on every machine. Jest orders by how long each took where
 * it runs: what one suite leaves behind then breaks another on one machine and not on the next.
 */
export default class PathSequencer extends Sequencer {
  override sort(tests: Tests): Tests | Promise<Tests> {
    return tests.some(({ context }) => context.config.displayName?.name === 'e2e')
      ? tests.toSorted((a, b) => (a.path < b.path ? -1 : 1))
      : super.sort(tests);
  }
}
