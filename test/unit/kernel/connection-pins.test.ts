import { expect, test } from '@jest/globals';

import { DisturbedError, undisturbed } from '../../../src/kernel/connection-pins.ts';

const fault = (code: string, syscall: string) =>
  Object.assign(new Error(`${code} at ${syscall}`), { code, syscall });

/** How often it is tried where each try but those after so many fails like that, and what comes of it. */
function tried(failures: number, error: Error): readonly [number, unknown] {
  let tries = 0;
  try {
    undisturbed(() => {
      tries += 1;
      if (tries <= failures) throw error;
    });
    return [tries, 'done'];
  } catch (thrown) {
    return [tries, thrown];
  }
}

test.each(['EEXIST', 'ENOENT'])(
  'where others pin or remove the same names (%s), it is tried again, but not for ever',
  (code) => {
    const disturbed = fault(code, 'pin networks');
    expect(tried(2, disturbed)).toEqual([3, 'done']);
    const [tries, thrown] = tried(Infinity, disturbed);
    expect(tries).toBe(3);
    expect(thrown).toBeInstanceOf(DisturbedError);
    // By that it passes: whoever asked tries again later.
    expect(thrown).toMatchObject({ code: 'EAGAIN', syscall: 'pin networks' });
  },
);

test.each([
  ['EPERM', 'pin networks'],
  ['ENOENT', 'load'],
  ['EINVAL', 'attach known'],
])('what the kernel says is believed at once: %s at %s', (code, syscall) => {
  const word = fault(code, syscall);
  expect(tried(Infinity, word)).toEqual([1, word]);
});
