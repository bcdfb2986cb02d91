import { computeExpiry } from '../../../src/providers/compute-expiry.js';
import { catalogue } from '../../../src/providers/catalogue/index.js';

const issuedAt = new Date('2026-01-01T00:00:00.000Z');
const after = (seconds: number) => new Date(issuedAt.getTime() + seconds * 1000);
const hourRule = { missingExpiry: 3600 };
const noRule = { missingExpiry: null };

describe('a stated lifetime', () => {
  test.each([
    [1800, 1800],
    ['1800', 1800],
    [0.5, 0.5],
    ['59.5', 59.5],
    [Number('1e308'), 315_360_000],
    [Infinity, 315_360_000],
    [9_999_999_999, 315_360_000],
    ['999999999999999', 315_360_000],
  ])('%j counts from before the request, at most ten years', (value, seconds) => {
    expect(computeExpiry(hourRule, { expires_in: value }, issuedAt)).toEqual(after(seconds));
    expect(computeExpiry(noRule, { expires_in: value }, issuedAt)).toEqual(after(seconds));
  });
});

describe('a lifetime in milliseconds', () => {
  test.each([
    [3600, 3600],
    [86_400, 86_400],
    [3_600_000, 3600],
    ['3600000', 3600],
    [86_400_000, 86_400],
  ])('%j is told by what the provider never gives', (value, seconds) => {
    expect(computeExpiry({ ...noRule, longestExpiry: 86_400 }, { expires_in: value }, issuedAt)).toEqual(
      after(seconds),
    );
  });

  test('cannot be told where nobody knows how long tokens live', () => {
    expect(computeExpiry(noRule, { expires_in: 3_600_000 }, issuedAt)).toEqual(after(3_600_000));
  });
});

describe('a lifetime that is missing or unreadable', () => {
  test.each([undefined, null, 0, -1, -3600, '', '0', '-5', 'soon', '1e9', '3600s', NaN, true, {}, [3600]])(
    '%j falls to the rule of the provider',
    value => {
      expect(computeExpiry(hourRule, { expires_in: value }, issuedAt)).toEqual(after(3600));
      expect(computeExpiry(noRule, { expires_in: value }, issuedAt)).toBeNull();
    },
  );
});

describe('the rules of the catalogue', () => {
  const rule = (id: string) => {
    const definition = catalogue.get(id);
    if (definition === undefined) throw new Error(id);
    return definition;
  };

  test('an Attio token does not expire', () => {
    expect(computeExpiry(rule('attio'), {}, issuedAt)).toBeNull();
  });

  test('Pipedrive and Zoho tokens live an hour when the answer does not say', () => {
    expect(computeExpiry(rule('pipedrive'), {}, issuedAt)).toEqual(after(3600));
    expect(computeExpiry(rule('zoho'), {}, issuedAt)).toEqual(after(3600));
  });

  test('Zoho: seconds win over milliseconds', () => {
    expect(computeExpiry(rule('zoho'), { expires_in: 3_600_000, expires_in_sec: 3600 }, issuedAt)).toEqual(after(3600));
    expect(computeExpiry(rule('zoho'), { expires_in: 1800 }, issuedAt)).toEqual(after(1800));
  });
});
