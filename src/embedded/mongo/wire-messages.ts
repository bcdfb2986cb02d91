import { BSON } from 'mongodb';

/**
 * MongoDB's wire protocol, as far as a proxy needs it.
 *
 * @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
const headerLength = 16;
const opMsg = 2013;
/** Of the first handshake alone. */
const opQuery = 2004;
const opReply = 1;
const largestMessage = 64 * 2 ** 20;

export interface WireMessage {
  readonly bytes: Buffer;
  readonly requestId: number;
  readonly opCode: number;
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
    messages.push({ bytes: message, requestId: message.readInt32LE(4), opCode: message.readInt32LE(12) });
    rest = rest.subarray(length);
  }
  return { messages, rest };
}

/** The command with the documents that travel beside its body (insert's, update's, delete's) put back in their place. */
export function readCommand({ bytes, opCode }: WireMessage): Record<string, unknown> {
  if (opCode === opQuery) {
    // Flags, the collection's name, how many to skip and to return, then the command.
    const nameEnd = bytes.indexOf(0, headerLength + 4);
    return BSON.deserialize(bytes.subarray(nameEnd + 9));
  }
  if (opCode !== opMsg) throw new Error(`an opcode that no driver sends any more: ${opCode}`);
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
  const isQuery = to.opCode === opQuery;
  // Before the document: flags and the section's kind; of a query flags, cursor, place, and that there is one document.
  const before = isQuery ? 20 : 5;
  const reply = Buffer.alloc(headerLength + before + body.length);
  reply.writeInt32LE(reply.length, 0);
  reply.writeInt32LE(to.requestId, 8);
  reply.writeInt32LE(isQuery ? opReply : opMsg, 12);
  if (isQuery) reply.writeInt32LE(1, headerLength + 16);
  reply.set(body, headerLength + before);
  return reply;
}
