import { join } from 'node:path';

import { craneProgram } from '../../scripts/release/push.ts';
import { registry } from '../cluster/addresses.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { until } from '../cluster/wait.ts';

/** A registry beside the API server, at the address that nodes ask by plain HTTP; resolves when it answers. */
export async function startRegistry({ lab }: Cluster): Promise<void> {
  const control = await lab.host('control');
  const crane = await craneProgram();
  await control.start([crane, 'registry', 'serve', '--address', registry], {
    logFile: join(lab.folder, 'log/registry.log'),
  });
  await until('the registry answers', async () => {
    const { code } = await control.exec([crane, 'catalog', registry]);
    return code === 0;
  });
}
