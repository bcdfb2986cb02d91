import { countConsumers } from './count-actions.js';
import { measureIntake } from './measure-intake.js';
import { sendLoad } from './send-load.js';
import type { Stage } from './stage.js';

/** Intake without a worker: living and dead integrations against the bare route, and how it grows with their number. */
export async function measureIntakes(stage: Stage) {
  const { bare, dead, client, database, say } = stage;
  const intake = await measureIntake(bare, stage.first(10), database, 'intake, worker off', say);
  const ofDead = await measureIntake(bare, stage.target(dead.integrationIds), database, 'intake, credential dead', say);
  const deadWorkflows = await countConsumers(client, dead.integrationIds);
  await database.reset();
  for (const count of [1, 10, 100, 1_000]) {
    const { rps, p99 } = await sendLoad(stage.first(count), { ms: 3_000 });
    say(`intake on ${count} integrations: ${rps} a second, p99 ${p99} ms`);
  }
  return {
    bareRps: intake.bareRps,
    intake_ratio: intake.ratio,
    intake_p99_ratio: intake.p99Ratio,
    dead_intake_ratio: ofDead.ratio,
    dead_workflows: deadWorkflows,
  };
}
