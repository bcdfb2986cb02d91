import { createClientFaults } from '../../src/credentials/create-client-faults.js';
import type { ProviderId } from '../../src/domain/ids.js';

const attio = 'attio' as ProviderId;
const zoho = 'zoho' as ProviderId;

describe('a client that a provider rejects', () => {
  it('is news once a provider, however many credentials meet it', () => {
    const faults = createClientFaults();
    expect([attio, attio, zoho, attio].map(provider => faults.noteRejected(provider))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('is news again after it was taken, or after an hour without a rejection', () => {
    let now = 0;
    const faults = createClientFaults(() => now);
    faults.noteRejected(attio);
    faults.noteAccepted(attio);
    expect(faults.noteRejected(attio)).toBe(true);
    now += 50 * 60_000;
    expect(faults.noteRejected(attio)).toBe(false);
    now += 50 * 60_000;
    expect(faults.noteRejected(attio)).toBe(false);
    now += 61 * 60_000;
    expect(faults.noteRejected(attio)).toBe(true);
  });

  it('goes on while it is met again, and ends when it is taken or nobody met it for an hour', () => {
    let now = 0;
    const faults = createClientFaults(() => now);
    faults.noteStillRejected(attio);
    expect(faults.isRejected(attio)).toBe(false);
    faults.noteRejected(attio);
    for (let round = 0; round < 3; round += 1) {
      now += 50 * 60_000;
      faults.noteStillRejected(attio);
      expect([attio, zoho].map(faults.isRejected)).toEqual([true, false]);
    }
    now += 61 * 60_000;
    expect(faults.isRejected(attio)).toBe(false);
    faults.noteRejected(attio);
    faults.noteAccepted(attio);
    expect(faults.isRejected(attio)).toBe(false);
  });
});
