import { z } from 'zod';

/** What is sealed into a delivery's row. */
export interface DeliveryContent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const headersSchema = z.record(z.string(), z.string());
const lengthBytes = 4;

/** Four bytes with the length of the headers (big-endian), the headers as JSON, the raw body. */
export function encodeContent(headers: Readonly<Record<string, string>>, body: Uint8Array): Buffer {
  const head = Buffer.from(JSON.stringify(headers), 'utf8');
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, body]);
}

/** Throws when the bytes were not made by encodeContent. */
export function decodeContent(content: Buffer): DeliveryContent {
  const bodyAt = lengthBytes + content.readUInt32BE(0);
  const headers = headersSchema.parse(JSON.parse(content.toString('utf8', lengthBytes, bodyAt)));
  return { headers, body: content.subarray(bodyAt) };
}
