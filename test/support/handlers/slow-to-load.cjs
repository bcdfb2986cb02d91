/** A module that takes its time to load, as one with many dependencies does. */
const { z } = require('zod');

Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);

module.exports.integrations = [
  {
    type: 'slow-to-load',
    name: 'Slow to load',
    providers: 'any',
    config: z.object({}),
    onWebhook: () => undefined,
  },
];
