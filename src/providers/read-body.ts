import type { Dispatcher } from 'undici';

const utf8 = new TextDecoder();

/**
 * The whole of an answer's body as text; null when it is longer than `maxBytes`, and then its connection is ended.
 *
 * @param cut What is beyond is left unread instead.
 */
export async function readBody(
  { headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
  cut: boolean,
): Promise<string | null> {
  // No more than was announced comes: the client sees to it. This is twice as fast as looking at each piece.
  if (Number(headers['content-length'] ?? Infinity) <= maxBytes) return await body.text();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > maxBytes && cut) break;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return utf8.decode(Buffer.concat(chunks));
}
