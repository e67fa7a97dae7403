import { expect, test } from '@jest/globals';

import { proxy } from '../scenario/proxy.ts';
import { perform } from '../scenario/perform.ts';
import { shortcomings } from '../scenario/result.ts';
import { snat } from '../scenario/snat.ts';
import { sharedCluster } from './shared.ts';

/** A selection of what `npm run -s scenario` plays: one tracker that a probe refreshes, one hop that it does not. */
test.each([snat, proxy])(
  'scenario $name: every connection dies without a policy, and meets the fate that was expected with it',
  async (scenario) => {
    const result = await perform(scenario, sharedCluster());
    expect(shortcomings(result)).toEqual([]);
  },
  180_000,
);
