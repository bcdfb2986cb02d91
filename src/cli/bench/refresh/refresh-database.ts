import { Pool } from 'pg';
import { z } from 'zod';

const countRow = z.object({ count: z.coerce.number() });
const standingRow = z.object({
  generation: z.number(),
  alive: z.boolean(),
  verdict: z.string().nullable(),
  posted: z.boolean(),
});
export type Standing = z.infer<typeof standingRow>;

/** What the benchmark reads straight from the database, so that it counts what is stored and not what it was told. */
export class RefreshDatabase {
  private readonly pool: Pool;

  constructor(url: string) {
    this.pool = new Pool({ connectionString: url, max: 2 });
  }

  /** How a credential stands; `posted`: a token request was begun whose answer is not known. */
  async standingOf(credentialId: string): Promise<Standing> {
    const { rows } = await this.pool.query(
      `SELECT generation, auth_is_valid AS alive, verdict_code AS verdict, refresh_posted_at IS NOT NULL AS posted
         FROM credentials WHERE id = $1`,
      [credentialId],
    );
    return standingRow.parse(rows[0]);
  }

  /** From now on each change of an integration's status leaves a row, whoever made it. */
  async watchStatuses(): Promise<void> {
    await this.pool.query(`
      CREATE TABLE bench_status_writes (integration_id TEXT);
      CREATE FUNCTION bench_note_status() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO bench_status_writes VALUES (NEW.id); RETURN NULL; END $$;
      CREATE TRIGGER bench_note_status AFTER UPDATE ON integrations FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION bench_note_status();`);
  }

  countStatusWrites(): Promise<number> {
    return this.count('SELECT count(*) AS count FROM bench_status_writes');
  }

  /** Deliveries of an integration; of one state, or all. */
  countDeliveries(integrationId: string, state?: string): Promise<number> {
    return this.count(
      'SELECT count(*) AS count FROM deliveries WHERE integration_id = $1 AND ($2::text IS NULL OR state = $2)',
      [integrationId, state ?? null],
    );
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async count(sql: string, values: unknown[] = []): Promise<number> {
    const { rows } = await this.pool.query(sql, values);
    return countRow.parse(rows[0]).count;
  }
}
