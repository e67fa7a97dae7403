import { afterEach, beforeEach } from '@jest/globals';

import type { NodeKernel } from '../../src/agent/node-kernel.ts';
import type { AgentOptions } from './machine.ts';
import { Machine } from './machine.ts';

/** For each test of a file a machine of its own, and an agent in it; both are gone afterwards. */
export function eachWithAgent(
  begin: (machine: Machine, agent: NodeKernel) => void,
  options: AgentOptions = {},
): void {
  let machine: Machine;
  let agent: NodeKernel;
  beforeEach(async () => {
    machine = await Machine.start();
    agent = machine.agent(options);
    begin(machine, agent);
  });
  afterEach(async () => {
    agent.close();
    await machine.stop();
  });
}
