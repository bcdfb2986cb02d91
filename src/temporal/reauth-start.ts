import type { ReauthInput } from '../contracts/workflows.js';
import { keywords } from '../contracts/keywords.js';

/** What every start of a reauth run has in common. */
export function reauthStart(taskQueue: string, input: ReauthInput) {
  return {
    taskQueue,
    args: [input],
    typedSearchAttributes: keywords({ Provider: input.provider, Stage: 'connecting' }),
    staticSummary: `Connect ${input.provider}: attempt ${input.sessionId}`,
    // A user is waiting for it.
    priority: { priorityKey: 1 },
  };
}
