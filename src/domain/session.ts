/**
 * The life of an authorization session. Every step is one conditional write on its row:
 *
 *     pending ──claim──▶ exchanging ──seal──▶ exchanged ──connect──▶ connected ──complete──▶ restored
 *        └───────────────────┴───────────────────┴──────end──────▶ failed
 *
 * `exchanging` is the exchange marker: whoever moved the row there makes the one token request.
 */
export const sessionStates = ['pending', 'exchanging', 'exchanged', 'connected', 'restored', 'failed'] as const;
export type SessionState = (typeof sessionStates)[number];

/** `state` must come back within this time to be claimed. */
export const sessionClaimWindowMs = 15 * 60_000;

/** An exchange may take 30 s at most (RELINK_EXCHANGE_TIMEOUT); a session `exchanging` for longer lost its process. */
export const exchangeAbandonedAfterMs = 60_000;
