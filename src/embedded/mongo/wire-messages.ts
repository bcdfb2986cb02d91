import { BSON } from 'mongodb';

/**
 * MongoDB's wire protocol, as far as a proxy needs it.
 *
 * @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
const headerLength = 16;
const opMsg = 2013;
const largestMessage = 64 * 2 ** 20;

export interface WireMessage {
  readonly bytes: Buffer;
  readonly requestId: number;
  readonly isCommand: boolean;
}

/** Cuts a stream of bytes into messages; gives back what is not complete yet. */
export function cutMessages(bytes: Buffer): { readonly messages: WireMessage[]; readonly rest: Buffer } {
  const messages: WireMessage[] = [];
  let rest = bytes;
  while (rest.length >= headerLength) {
    const length = rest.readInt32LE(0);
    if (length < headerLength || length > largestMessage) throw new Error('not a message of MongoDB');
    if (rest.length < length) break;
    const message = rest.subarray(0, length);
    messages.push({ bytes: message, requestId: message.readInt32LE(4), isCommand: message.readInt32LE(12) === opMsg });
    rest = rest.subarray(length);
  }
  return { messages, rest };
}

/** The command with the documents that travel beside its body (insert's, update's, delete's) put back in their place. */
export function readCommand({ bytes }: WireMessage): Record<string, unknown> {
  let command: Record<string, unknown> = {};
  const beside: Record<string, unknown> = {};
  let at = headerLength + 4;
  while (at < bytes.length) {
    const kind = bytes.readUInt8(at);
    const length = bytes.readInt32LE(at + 1);
    const section = bytes.subarray(at + 1, at + 1 + length);
    if (kind === 0) command = BSON.deserialize(section);
    else {
      const end = section.indexOf(0, 4);
      const documents: unknown[] = [];
      for (let next = end + 1; next < section.length; next += section.readInt32LE(next)) {
        documents.push(BSON.deserialize(section.subarray(next, next + section.readInt32LE(next))));
      }
      beside[section.toString('utf8', 4, end)] = documents;
    }
    at += 1 + length;
  }
  return { ...command, ...beside };
}

/** The answer to a message, as a server would send it. */
export function writeReply(to: WireMessage, document: Record<string, unknown>): Buffer {
  const body = BSON.serialize(document);
  const reply = Buffer.alloc(headerLength + 5 + body.length);
  reply.writeInt32LE(reply.length, 0);
  reply.writeInt32LE(to.requestId, 8);
  reply.writeInt32LE(opMsg, 12);
  reply.set(body, headerLength + 5);
  return reply;
}
