import { createLog } from '../../../src/ops/log.ts';

createLog({ level: 'info', base: { component: 'bench' } }).info('started');
