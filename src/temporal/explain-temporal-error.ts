import { isGrpcServiceError } from '@temporalio/client';
import { ConfigError, RelinkError } from '../errors.js';
import type { TemporalSettings } from './connect-client.js';

/** https://grpc.io/docs/guides/status-codes/ */
const deadlineExceeded = 4;
const notFound = 5;
const permissionDenied = 7;
const unavailable = 14;
const unauthenticated = 16;

/**
 * At a start Temporal's being out of reach is a matter of `TEMPORAL_*`: says which address, and what to look at.
 *
 * @returns ConfigError where the address, the namespace or the access is at fault; anything else as it is.
 */
export function explainTemporalError(error: unknown, settings: TemporalSettings): unknown {
  const address = settings.connectionOptions.address ?? 'localhost:7233';
  switch (readStatus(error)) {
    case deadlineExceeded:
    case unavailable:
      return new ConfigError([
        `TEMPORAL_ADDRESS: Temporal does not answer at ${address}; is it running there, and does the TLS setting fit?`,
      ]);
    case notFound:
      return new ConfigError([
        `TEMPORAL_NAMESPACE: Temporal at ${address} has no namespace "${settings.namespace}"; create it first`,
      ]);
    case permissionDenied:
    case unauthenticated:
      return new ConfigError([
        `TEMPORAL_API_KEY, or the TLS certificate: Temporal at ${address} does not let them into "${settings.namespace}"`,
      ]);
    case null:
    default:
      return error;
  }
}

/** The gRPC status that an error is, or wraps; null when it has none. */
function readStatus(error: unknown): number | null {
  // By name: the class is in the worker's package, whose native part a server does not load.
  if (error instanceof Error && error.name === 'TransportError') return unavailable;
  if (isGrpcServiceError(error)) return error.code;
  const inner = error instanceof Error ? readStatusOfCause(error.cause) : null;
  if (inner !== null) return inner;
  return error instanceof RelinkError && error.code === 'temporal_unavailable' ? unavailable : null;
}

const readStatusOfCause = (cause: unknown) => (cause === undefined || cause === null ? null : readStatus(cause));
