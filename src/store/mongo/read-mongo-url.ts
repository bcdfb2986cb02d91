export type MongoProfile = 'mongodb' | 'documentdb';

export interface MongoTarget {
  /** For the driver: without what is ours, and without what we decide. */
  readonly url: string;
  readonly profile: MongoProfile;
  /** Hosts with their ports, as written; never user or password. */
  readonly hosts: string;
  readonly database: string;
}

const form = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)\/?([^?]*)(?:\?(.*))?$/;
/** Amazon's own host names, also those of its Chinese regions. */
const amazonHost = /\.docdb(-elastic)?(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?(:\d+)?$/;
/**
 * What the store decides itself (see connect.ts), in lower case, as the driver reads names. The driver would take the rest of
 * them beside it: `journal=false` acknowledges what a crash may lose, `wtimeoutMS=` answers a failure for what was written.
 */
const decided = new Set([
  ...['w', 'journal', 'j', 'fsync', 'wtimeout', 'wtimeoutms', 'readconcernlevel'],
  ...['readpreference', 'readpreferencetags', 'maxstalenessseconds'],
]);
const profileSetting = 'relinkProfile';

/**
 * Reads `DATABASE_URL` of a MongoDB: the profile from `relinkProfile=documentdb`, else from the host's name. A URL with
 * several hosts is none to the URL class, so it is taken apart here.
 *
 * @see https://www.mongodb.com/docs/manual/reference/connection-string/
 */
export function readMongoUrl(databaseUrl: string): MongoTarget {
  const [, hosts = '', database = '', query = ''] = form.exec(databaseUrl) ?? [];
  const settings = query.split('&').filter(setting => setting !== '');
  const ours = settings.find(setting => setting.startsWith(`${profileSetting}=`));
  const others = settings.filter(setting => setting !== ours && !decided.has(nameOf(setting)));
  const named = ours?.slice(profileSetting.length + 1);
  const detected = hosts.split(',').some(host => amazonHost.test(host)) ? 'documentdb' : 'mongodb';
  const [base = ''] = databaseUrl.split('?', 1);
  return {
    url: others.length === 0 ? base : `${base}?${others.join('&')}`,
    profile: named === 'documentdb' || named === 'mongodb' ? named : detected,
    hosts,
    database: decodeURIComponent(database),
  };
}

const nameOf = (setting: string) => setting.split('=', 1).join('').toLowerCase();
