/**
 * The bytes of a signature; null for a text that is not exactly one. Node's decoders stop at the first character they do
 * not know, so that `<signature>, <another>` (a header that came twice) would read as the first alone.
 */
export function decodeSignature(text: string, encoding: 'hex' | 'base64' | 'base64url'): Buffer | null {
  const bytes = Buffer.from(text, encoding);
  return bytes.length > 0 && bytes.toString(encoding) === (encoding === 'hex' ? text.toLowerCase() : text)
    ? bytes
    : null;
}
