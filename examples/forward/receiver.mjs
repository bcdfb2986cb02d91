/**
 * Receives what the built-in type `forward` posts, in plain Node: verifies, handles each delivery once, answers.
 * README.md beside this file says how to run it.
 */
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const secret = process.env.FORWARD_SECRET;
if (!secret) throw new Error('FORWARD_SECRET is not set: one of the secrets in RELINK_FORWARD_SECRETS');
const webhook = new Webhook(secret);
const largestBody = 20 * 1024 * 1024;

/** What was handled. A real receiver keeps the ids in its database, in the transaction that does the work. */
const handled = new Set();

const server = createServer(async (request, response) => {
  let body;
  try {
    body = await readBody(request);
  } catch {
    // Cut off in the middle: nobody is left to answer, and it comes again.
    return response.destroy();
  }
  if (body === null) return response.writeHead(413).end();
  try {
    webhook.verify(body, request.headers, { jsonParse: false });
  } catch {
    return response.writeHead(401).end();
  }
  const id = request.headers['webhook-id'];
  if (!handled.has(id)) {
    handled.add(id);
    console.log(JSON.stringify({ id, integration: request.headers['relink-integration-id'], bytes: body.length }));
  }
  // 2xx: done. 410: never again. Anything else is tried again, later each time.
  response.writeHead(204).end();
});

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
