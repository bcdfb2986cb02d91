import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import { createTestDatabase } from '../support/create-test-database.js';
import { describeStore } from './store-contract.js';

describeStore('postgres', async () => {
  const database = await createTestDatabase();
  return { open: () => createPostgresStore({ databaseUrl: database.url }), stop: () => database.drop() };
});
