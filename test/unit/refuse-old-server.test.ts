import { explainDatabaseError } from '../../src/store/postgres/explain-database-error.js';
import { refuseOldServer } from '../../src/store/postgres/refuse-old-server.js';

it.each([140_000, 140_013, 170_002])('a server of version %i is taken', version => {
  expect(() => refuseOldServer(version)).not.toThrow();
});

it.each([0, 90_624, 130_016, 139_999])(
  'a server of version %i is too old, and that is told in one line',
  async version => {
    const error = await Promise.resolve(version)
      .then(refuseOldServer)
      .catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'database_unavailable' });
    expect(await explainDatabaseError(error, 'postgresql://user:hidden@db.example.com/relink')).toMatchObject({
      problems: ['DATABASE_URL: the server at db.example.com:5432 is too old: PostgreSQL 14 or newer'],
    });
  },
);
