import { type Collection, type Db, type Document, MongoClient, MongoError, type MongoClientOptions } from 'mongodb';
import { ConfigError } from '../../errors.js';
import { failUndrainedWrites } from './fail-undrained-writes.js';
import type { MongoProfile } from './read-mongo-url.js';
import { readMongoUrl } from './read-mongo-url.js';

/** How long a connection may take to be made, a primary to be found, a connection to come free in the pool. */
export const connectTimeoutMs = 5_000;
/** How long a server or network may stay silent: there is no time limit on the server that both products document. */
const defaultSilenceMs = 20_000;

export interface MongoOptions {
  readonly databaseUrl: string;
  /** Connections held at most by this process; 10 unless given. */
  readonly poolSize?: number;
  /** How long a command may go unanswered; 20 s unless given. */
  readonly silenceMs?: number;
  /** Reports every command, for the tests that hold the store to its list. */
  readonly monitorCommands?: boolean;
}

export interface MongoConnection {
  readonly client: MongoClient;
  readonly db: Db;
  readonly profile: MongoProfile;
}

/** Each of our documents has a text for its key. */
export type Documents = Collection<Document & { _id: string }>;

/**
 * Connects lazily and reconnects by itself. Reads come from the primary and writes wait for a majority, whatever the URL
 * says: a status read from a member that lags would let work through that is to be held.
 *
 * @throws ConfigError for a URL that the driver does not take.
 */
export function connectMongo(options: MongoOptions): MongoConnection {
  try {
    return openClient(options);
  } catch (error) {
    // What takes the URL apart has an error class of its own, which is none of the driver's.
    const isOfUrl = error instanceof Error && ['MongoParseError', 'URIError'].includes(error.name);
    if (!isOfUrl && !(error instanceof MongoError)) throw error;
    const [, secret = ''] = /\/\/[^:]*:(.*)@/.exec(options.databaseUrl) ?? [];
    const why = secret !== '' && error.message.includes(secret) ? 'it is malformed' : error.message;
    throw new ConfigError([`DATABASE_URL: the driver does not take it: ${why}`]);
  }
}

function openClient({ databaseUrl, poolSize = 10, ...options }: MongoOptions): MongoConnection {
  const { url, profile, database } = readMongoUrl(databaseUrl);
  const settings: MongoClientOptions = {
    appName: 'relink',
    maxPoolSize: poolSize,
    connectTimeoutMS: connectTimeoutMs,
    serverSelectionTimeoutMS: connectTimeoutMs,
    waitQueueTimeoutMS: connectTimeoutMs,
    socketTimeoutMS: options.silenceMs ?? defaultSilenceMs,
    maxIdleTimeMS: 300_000,
    readPreference: 'primary',
    writeConcern: { w: 'majority' },
    // Ids of callers are texts; nothing of ours may travel as `undefined`.
    ignoreUndefined: false,
    monitorCommands: options.monitorCommands ?? false,
    ...(profile === 'documentdb' && documentdbSettings(url)),
  };
  failUndrainedWrites();
  const client = new MongoClient(url, settings);
  return { client, db: client.db(database), profile };
}

/**
 * Amazon DocumentDB takes no retryable writes, and TLS is on in every new cluster. Its CA bundle is named by the driver's own
 * `tlsCAFile=` in the URL.
 *
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/functional-differences.html
 */
function documentdbSettings(url: string): MongoClientOptions {
  return { retryWrites: false, ...(!/[?&](tls|ssl)=/.test(url) && { tls: true }) };
}

/** The collections by their names; MongoDB makes one when it is first written to, `npm run migrate` makes all of them. */
export function openCollections(db: Db) {
  const open = (name: string): Documents => db.collection(name);
  return {
    sessions: open('authorization_sessions'),
    credentials: open('credentials'),
    entities: open('entities'),
    integrations: open('integrations'),
    deliveries: open('deliveries'),
    consumers: open('delivery_consumers'),
    subscriptions: open('subscriptions'),
    tokenReads: open('token_reads'),
    counters: open('counters'),
    migrations: open('migrations'),
  };
}

export type Collections = ReturnType<typeof openCollections>;
