const loneSurrogates = /\p{Surrogate}/gu;

/** Words of others, a handler's or a provider's, which must not be able to break a write: no NUL, no half surrogate. */
export function cleanDetail(detail: string): string {
  return detail.replaceAll('\0', '').replace(loneSurrogates, '\ufffd');
}
