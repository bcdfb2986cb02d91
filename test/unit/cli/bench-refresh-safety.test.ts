import { isSafeResult, type SafetyFigures } from '../../../src/cli/bench/refresh/is-safe-result.js';

const incident = { webhooks: 94_000, error_lines: 1, token_posts: 0, status_writes: 1, notifications: 1 };
const safe: SafetyFigures = {
  doomed_calls: 1_000,
  posts_per_round_max: 1,
  failed_callers: 0,
  grants_lost: 0,
  doomed_refusals: 1_004,
  doomed_posts: 0,
  killed: { lost_outside_window: 0 },
  dead_grant: incident,
};

test('what the aims say is safe', () => {
  expect(isSafeResult(safe)).toBe(true);
});

test.each<Partial<SafetyFigures>>([
  { posts_per_round_max: 2 },
  { posts_per_round_max: 0 },
  { failed_callers: 1 },
  { grants_lost: 1 },
  { doomed_posts: 1 },
  { doomed_refusals: 999 },
  { doomed_refusals: 0 },
  { killed: { lost_outside_window: 1 } },
  { dead_grant: { ...incident, webhooks: 0 } },
  { dead_grant: { ...incident, webhooks: 93_999 } },
  { dead_grant: { ...incident, error_lines: 94_000 } },
  { dead_grant: { ...incident, token_posts: 1 } },
  { dead_grant: { ...incident, status_writes: 2 } },
  { dead_grant: { ...incident, notifications: 0 } },
  { dead_grant: { ...incident, notifications: 2 } },
])('%j is not', figures => {
  expect(isSafeResult({ ...safe, ...figures })).toBe(false);
});
