import { catalogue } from '../../../src/providers/catalogue/index.js';
import { planGrantEnd, planRefresh, refreshMarginMs } from '../../../src/providers/plan-refresh.js';

const issuedAt = new Date('2026-01-01T00:00:00.000Z');
const after = (milliseconds: number) => new Date(issuedAt.getTime() + milliseconds);
const minute = 60_000;
const day = 24 * 60 * minute;

test('the margin is a fifth of the lifetime, and at most 15 minutes', () => {
  expect(refreshMarginMs(60 * minute)).toBe(12 * minute);
  expect(refreshMarginMs(8 * 60 * minute)).toBe(15 * minute);
  expect(refreshMarginMs(-1)).toBe(0);
});

test('a token falls due between one and one and a half margins before its end', () => {
  const token = { refreshable: true, expiresAt: after(60 * minute) };
  expect(planRefresh({}, token, issuedAt, 0).refreshDueAt).toEqual(after(48 * minute));
  expect(planRefresh({}, token, issuedAt, 1).refreshDueAt).toEqual(after(42 * minute));
});

test('one that has ended already is due at once', () => {
  expect(planRefresh({}, { refreshable: true, expiresAt: after(-minute) }, issuedAt, 0.5).refreshDueAt).toEqual(
    issuedAt,
  );
});

test('nothing falls due without a refresh token, nor without an end', () => {
  expect(planRefresh({}, { refreshable: false, expiresAt: after(minute) }, issuedAt, 0).refreshDueAt).toBeNull();
  expect(planRefresh({}, { refreshable: true, expiresAt: null }, issuedAt, 0).refreshDueAt).toBeNull();
});

test('an idle grant is refreshed halfway to its limit', () => {
  const idle = { grantLimits: { idleMs: 60 * day } };
  expect(planRefresh(idle, { refreshable: true, expiresAt: null }, issuedAt, 0).refreshDueAt).toEqual(after(30 * day));
  const token = { refreshable: true, expiresAt: after(60 * minute) };
  expect(planRefresh(idle, token, issuedAt, 0).refreshDueAt).toEqual(after(48 * minute));
  expect(catalogue.get('pipedrive')?.grantLimits?.idleMs).toBe(60 * day);
});

test('the end of a grant is told two weeks ahead, or a fifth of its life', () => {
  expect(planGrantEnd({ grantLimits: { hardMs: 365 * day } }, issuedAt)).toEqual({
    grantEndsAt: after(365 * day),
    grantWarnAt: after(351 * day),
  });
  expect(planGrantEnd({ grantLimits: { hardMs: 10 * day } }, issuedAt)).toMatchObject({ grantWarnAt: after(8 * day) });
  expect(planGrantEnd({}, issuedAt)).toEqual({ grantEndsAt: null, grantWarnAt: null });
});
