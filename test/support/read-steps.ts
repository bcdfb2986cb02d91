import { z } from 'zod';

const payloads = z.object({ payloads: z.array(z.object({ data: z.string().optional() })) });
const event = z.looseObject({
  timerFiredEventAttributes: z.unknown().optional(),
  markerRecordedEventAttributes: z.object({ details: z.record(z.string(), payloads) }).optional(),
  activityTaskCompletedEventAttributes: z.object({ result: payloads.optional() }).optional(),
  activityTaskFailedEventAttributes: z.unknown().optional(),
  workflowExecutionCanceledEventAttributes: z.unknown().optional(),
  workflowExecutionContinuedAsNewEventAttributes: z.unknown().optional(),
});
const history = z.object({ events: z.array(event) });
const answer = z.union([
  z.object({ gate: z.string() }).transform(({ gate }) => gate),
  z.object({ end: z.string(), nextDueInMs: z.null() }).transform(({ end }) => `${end}(none queued)`),
  z.object({ end: z.string() }).transform(({ end }) => end),
  z.object({ subscription: z.string() }).transform(() => 'prepared'),
]);

/**
 * What a webhooks workflow heard, in order: each gate, how each piece of work ended (`failed` when it did not, with
 * `(none queued)` when nothing is left), `timer` for each that fired, and its own end where it is another than a result.
 */
export function readSteps(recorded: unknown): string[] {
  return history.parse(recorded).events.flatMap(event => {
    if (event.timerFiredEventAttributes !== undefined) return ['timer'];
    if (event.activityTaskFailedEventAttributes !== undefined) return ['failed'];
    if (event.workflowExecutionCanceledEventAttributes !== undefined) return ['cancelled'];
    if (event.workflowExecutionContinuedAsNewEventAttributes !== undefined) return ['continued'];
    const marker = event.markerRecordedEventAttributes?.details['result'];
    const result = marker ?? event.activityTaskCompletedEventAttributes?.result;
    return (result?.payloads ?? []).flatMap(({ data }) => {
      const heard = answer.safeParse(
        data === undefined ? null : JSON.parse(Buffer.from(data, 'base64').toString('utf8')),
      );
      return heard.success ? [heard.data] : [];
    });
  });
}
