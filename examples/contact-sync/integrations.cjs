/**
 * Keeps a list at Attio up to date: every person whose record changes is on it, once.
 * README.md beside this file says how to run it.
 */
const { defineIntegration, HandlerError, z } = require('relink');

module.exports.integrations = [
  defineIntegration({
    type: 'contact-mirror',
    name: 'Contact mirror',
    providers: ['attio'],
    // Without a list the integration is NEEDS_CONFIG.
    config: z.object({ list: z.string().min(1) }),
    webhooks: { whileInError: 'hold', order: 'arrival', maxAttempts: 8, timeoutMs: 30_000 },

    async onWebhook(delivery, context) {
      for (const event of readEvents(delivery)) {
        if (!event.event_type.startsWith('record.')) continue;
        await putOnList(event.id.record_id, context);
      }
    },
  }),
];

/** What never becomes readable is not worth a second attempt. */
function readEvents(delivery) {
  try {
    return JSON.parse(delivery.body.toString()).events;
  } catch {
    throw new HandlerError('the body is not the JSON that Attio sends', { retryable: false });
  }
}

/** The token is added on the way, and a 429 ends the attempt until Attio's own time. Adding a person who is on the list changes nothing, so this may run again. */
async function putOnList(recordId, context) {
  const answer = await context.request({
    method: 'PUT',
    url: `/v2/lists/${encodeURIComponent(context.config.list)}/entries`,
    json: { data: { parent_record_id: recordId, parent_object: 'people', entry_values: {} } },
  });
  if (answer.status === 200) {
    context.log.info('contact mirrored', { record: recordId });
    return;
  }
  // A record that was deleted meanwhile stays deleted.
  if (answer.status === 404) return;
  throw new HandlerError(`Attio answered ${answer.status}`);
}
