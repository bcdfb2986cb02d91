import { countScans } from '../../../src/cli/bench/stores/plans/find-scans.js';

const byIndex = { stage: 'FETCH', inputStage: { stage: 'IXSCAN', indexName: 'userId__id' } };
const whole = { stage: 'COLLSCAN', direction: 'forward' };
const ok = { ok: 1, command: { find: 'things', filter: { stage: 'COLLSCAN' } } };

// The shapes of an explained command in the manual: a find, a find of one shard each, an aggregate, a write.
test.each([
  ['a find by index', { queryPlanner: { winningPlan: byIndex }, executionStats: { executionStages: byIndex } }, 0],
  [
    'a find that reads everything, told of in the plan and in the figures',
    { queryPlanner: { winningPlan: whole }, executionStats: { executionStages: whole } },
    1,
  ],
  [
    'a find whose other plan was not chosen',
    {
      queryPlanner: { winningPlan: byIndex, rejectedPlans: [whole] },
      executionStats: { executionStages: byIndex, allPlansExecution: [{ executionStages: whole }] },
    },
    0,
  ],
  ['a sort over everything', { executionStats: { executionStages: { stage: 'SORT', inputStage: whole } } }, 1],
  [
    'an $or of which one part reads everything',
    { executionStats: { executionStages: { stage: 'OR', inputStages: [byIndex, whole] } } },
    1,
  ],
  [
    'a find over two shards',
    {
      executionStats: {
        executionStages: { stage: 'SHARD_MERGE', shards: [{ executionStages: byIndex }, { executionStages: whole }] },
      },
    },
    1,
  ],
  [
    'an aggregate',
    { stages: [{ $cursor: { queryPlanner: { winningPlan: whole }, executionStats: { executionStages: whole } } }] },
    1,
  ],
  ['a plan without figures', { queryPlanner: { winningPlan: whole } }, 1],
])('%s: the plan %j has %d scans', (_what, explanation, scans) => {
  expect(countScans({ ...explanation, ...ok })).toBe(scans);
});
