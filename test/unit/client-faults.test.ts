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
});
