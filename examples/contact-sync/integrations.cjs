/**
 * Two types of integration: one keeps a list at Attio up to date, in order; one tells of changes, in any order.
 * README.md beside this file says how to run them, also without an account at Attio.
 */
const { defineIntegration, HandlerError, z } = require('relink');

module.exports.integrations = [
  defineIntegration({
    type: 'contact-mirror',
    name: 'Contact mirror',
    providers: ['attio', 'sandbox'],
    // Without a list the integration is NEEDS_CONFIG.
    config: z.object({ list: z.string().min(1) }),
    webhooks: { whileInError: 'hold', order: 'arrival', maxAttempts: 16, timeoutMs: 30_000 },

    async onWebhook(delivery, context) {
      // One event: Relink splits the batches that Attio sends.
      const event = readEvent(delivery);
      const record = event.id?.record_id;
      if (!event.event_type.startsWith('record.') || record === undefined) return;
      if (delivery.provider === 'sandbox') await showOnSandbox(record, context);
      else await putOnList(record, context);
    },
  }),

  defineIntegration({
    type: 'change-feed',
    name: 'Change feed',
    providers: ['attio', 'sandbox'],
    config: z.object({}),
    // Each change stands for itself: one that fails is tried again while others overtake it, ten at once.
    webhooks: { order: 'none', concurrency: 10 },

    onWebhook(delivery, context) {
      const event = readEvent(delivery);
      if (event.event_type === '') throw new HandlerError('the event says nothing of its type');
      context.log.info('something changed', { event: event.event_type, attempt: context.attempt });
    },
  }),
];

const eventSchema = z.looseObject({
  event_type: z.string().default(''),
  id: z.looseObject({ record_id: z.string().optional() }).optional(),
});

/** What never becomes readable is not worth a second attempt. */
function readEvent(delivery) {
  let parsed;
  try {
    parsed = eventSchema.safeParse(JSON.parse(delivery.body.toString()));
  } catch {
    throw new HandlerError('the body is no JSON', { retryable: false });
  }
  if (!parsed.success) throw new HandlerError('the body is no event', { retryable: false });
  return parsed.data;
}

/** The token is added on the way, and a 429 ends the attempt until Attio's own time. Adding a person who is on the list changes nothing, so this may run again. */
async function putOnList(recordId, context) {
  const answer = await context.request({
    method: 'PUT',
    url: `/v2/lists/${encodeURIComponent(context.config.list)}/entries`,
    json: { data: { parent_record_id: recordId, parent_object: 'people', entry_values: {} } },
  });
  // A record that was deleted meanwhile stays deleted.
  if (answer.status === 404) return;
  if (answer.status !== 200) throw new HandlerError(`Attio answered ${answer.status}`);
  context.log.info('contact mirrored', { record: recordId, list: context.config.list });
}

/** The sandbox knows accounts and no lists: that the token works is all there is to show. */
async function showOnSandbox(recordId, context) {
  const answer = await context.request({ url: '/identity' });
  if (answer.status !== 200) throw new HandlerError(`the sandbox answered ${answer.status}`);
  const { account_name } = JSON.parse(answer.text);
  context.log.info('contact mirrored', { record: recordId, list: context.config.list, account: account_name });
}
