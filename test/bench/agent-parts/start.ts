import { giveBackMemory } from '../../../src/ops/heap.ts';

giveBackMemory();
setInterval(() => undefined, 60_000);
