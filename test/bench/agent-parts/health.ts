import { HealthServer } from '../../../src/ops/health.ts';

await HealthServer.start({
  ...{ host: '127.0.0.1', port: 0, live: {}, ready: {} },
  metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
});
