import { expect, test } from '@jest/globals';

import { meansWithoutProgram } from '../../../src/policy/connection-means.ts';

test.each([
  [undefined, { by: 'Descriptors', countedBy: 'Descriptors', why: 'no BTF' }],
  [
    'ENOSYS at pidfd_getfd',
    { by: 'ValuesOnly', countedBy: 'Nobody', why: 'no BTF, and ENOSYS at pidfd_getfd' },
  ],
  ['no hostPID', { by: 'ValuesOnly', countedBy: 'Nobody', why: 'no BTF, and no hostPID' }],
])(
  'where the kernel is not told, descriptors are named only where they are to be had: %s',
  (fault, means) => {
    expect(meansWithoutProgram('no BTF', fault)).toEqual(means);
  },
);
