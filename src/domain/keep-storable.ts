const loneSurrogates = /\p{Surrogate}/gu;

/**
 * A stranger's words as every store can write them: without NUL, which PostgreSQL's text cannot hold, and with U+FFFD
 * in the place of half surrogates, which are no UTF-8.
 */
export function keepStorable(text: string): string {
  return text.replaceAll('\0', '').replace(loneSurrogates, '\ufffd');
}
