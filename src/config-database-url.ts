/**
 * What is wrong with a `DATABASE_URL`, as the end of a sentence about it; undefined when it can be used. Never with the
 * value.
 */
export function findDatabaseUrlProblem(value: string): string | undefined {
  const isMongo = /^mongodb(\+srv)?:\/\//.test(value);
  if (!isMongo && !/^postgres(ql)?:\/\//.test(value)) {
    return 'must start with postgresql://, mongodb:// or mongodb+srv://';
  }
  const isUrl = isMongo ? splitHosts(value).every(url => URL.canParse(url)) : URL.canParse(value);
  const [, authority = ''] = /^\w+(?:\+srv)?:\/\/([^?]*)/.exec(value) ?? [];
  const ats = authority.split('@').length - 1;
  // The rest of a password with a "@" or a "/" of its own is taken for the host.
  if (ats > 1 || (!isUrl && ats === 1)) {
    return 'is not a valid URL; special characters in its user and password must be %-encoded';
  }
  if (!isUrl) return 'is not a valid URL; look at its host and port';
  if (!isMongo) return undefined;
  if (!/^[^?]*\/\/[^/?]+\/[^/?]+/.test(value)) {
    return 'must name a database: mongodb://user:password@host:27017/database';
  }
  const profiles = [...value.matchAll(/[?&]relinkProfile=([^&]*)/g)].map(([, name]) => name);
  return profiles.every(name => name === 'documentdb' || name === 'mongodb')
    ? undefined
    : 'has a relinkProfile other than documentdb or mongodb';
}

/** A URL of MongoDB may name several hosts, which the URL class takes for none: one URL for each of them. */
function splitHosts(value: string): string[] {
  const [, scheme, user = '', hosts = '', rest = ''] =
    /^(\w+(?:\+srv)?):\/\/([^/?]*@)?([^@/?]*)(.*)$/.exec(value) ?? [];
  return hosts.split(',').map(host => (host === '' ? '' : `${scheme ?? ''}://${user}${host}${rest}`));
}
