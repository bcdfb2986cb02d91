import { Client } from 'pg';
import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import { createTestDatabase } from '../support/create-test-database.js';
import type { LeaveOut } from './fixtures.js';
import { describeStore } from './store-contract.js';

const columnOf = (field: string) => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

describeStore('postgres', async () => {
  const database = await createTestDatabase();
  const leaveOut: LeaveOut = async (kind, id, fields) => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const table = kind === 'sessions' ? 'authorization_sessions' : kind;
    const columns = fields.map(field => `${columnOf(field)} = NULL`).join(', ');
    const { rowCount } = await client.query(`UPDATE ${table} SET ${columns} WHERE id = $1`, [id]);
    await client.end();
    expect(rowCount).toBe(1);
  };
  return {
    open: () => createPostgresStore({ databaseUrl: database.url }),
    openBy: wire => createPostgresStore({ databaseUrl: wire.url }),
    databaseUrl: database.url,
    leaveOut,
    stop: () => database.drop(),
  };
});
