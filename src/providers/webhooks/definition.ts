/** A path into a JSON body, such as `data.account_id`. */
export type JsonPath = string;

/** A piece of what a signature is computed over, in order; a text stands for itself. */
export type SignedPart = 'body' | 'timestamp' | 'method' | 'url' | { readonly text: string };

/** Where the time stands that the signature covers. Unit: seconds, unless `milliseconds`. */
export type TimestampPlace =
  | { readonly header: string; readonly unit?: 'milliseconds' }
  /** `t=` in the signature header itself, beside `v1=` (Stripe, Calendly). */
  | { readonly inSignature: 't' }
  | { readonly bodyPath: JsonPath; readonly unit?: 'milliseconds' };

/** How a provider shows that a webhook is its own. */
export type SignatureScheme =
  | {
      readonly kind: 'hmac';
      readonly header: string;
      readonly algorithm: 'sha256' | 'sha1';
      readonly encoding: 'hex' | 'base64';
      /** Before the signature in the header, such as `sha256=`. */
      readonly prefix?: string;
      /** `v1` where the header is a list of `name=value` (Stripe, Calendly): several may be given, one has to match. */
      readonly listKey?: string;
      /** Default: the raw body alone. */
      readonly signed?: readonly SignedPart[];
      readonly timestamp?: TimestampPlace;
      /** How the secret's text becomes the key. Default: its UTF-8 bytes. */
      readonly secretEncoding?: 'base64';
    }
  /** standardwebhooks.com: `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
  | { readonly kind: 'standard-webhooks' }
  /** HS256 in `Authorization`, by the shared secret; expiry is checked. */
  | { readonly kind: 'jwt'; readonly header: string }
  /** A token the subscriber set, sent back with every webhook. */
  | { readonly kind: 'token'; readonly place: TokenPlace }
  /** The provider cannot sign. Accepted only by a definition that says so in these words. */
  | { readonly kind: 'unsigned' };

export type TokenPlace =
  | { readonly header: string }
  /** With `everyOf` (the path of a list), at this path of each of its items: one wrong token refuses them all. */
  | { readonly bodyPath: JsonPath; readonly everyOf?: JsonPath }
  | { readonly query: string }
  /** The password of HTTP Basic; any user name. */
  | { readonly basic: true };

export type Handshake =
  /** Echo a field of a JSON body (Slack `challenge`, monday); `type`: only where the body's `type` is this. */
  | {
      readonly kind: 'echo-body';
      readonly when: string;
      readonly type?: string;
      readonly signed: boolean;
      readonly as: 'json' | 'text';
    }
  /** Echo a query parameter (Graph `validationToken`, Dropbox `challenge`). */
  | { readonly kind: 'echo-query'; readonly parameter: string }
  /** Echo a header and keep it as this webhook's secret, while none is kept (Asana). */
  | { readonly kind: 'echo-secret-header'; readonly header: string }
  /** The body brings the secret, while none is kept (Notion). */
  | { readonly kind: 'secret-in-body'; readonly path: JsonPath }
  /** 200 to a right signature over an event-less body, 401 to a wrong one, both with empty bodies (Xero). */
  | { readonly kind: 'intent-to-receive'; readonly emptyList: JsonPath }
  /** A GET that only wants a 200 (Mailchimp). */
  | { readonly kind: 'probe' };

/** A provider's webhooks as data. Sources stand at each entry of the catalogue. */
export interface WebhookDefinition {
  readonly signature: SignatureScheme;
  /** How old, or how far ahead, a signed time may be. Seconds; default 300. Only where the scheme has a time. */
  readonly toleranceSeconds?: number;
  /** The provider's id of one delivery; null: it has none, and nothing is deduplicated. */
  readonly deliveryId: /** `within`: the header that names what the number counts in, where it is no id by itself (Google). */
    { readonly header: string; readonly within?: string } | { readonly bodyPath: JsonPath } | null;
  /** Which account it is about, for the app-wide URL; in each event where the body is a batch. */
  readonly accountId: JsonPath | { readonly header: string } | null;
  /** A batch: the path of its events ('' for a body that is an array), and of each event's id within it. */
  readonly batch?: { readonly events: JsonPath; readonly id: JsonPath | null };
  readonly handshake?: Handshake;
  /** Headers a handler may need, in lower case; the content type is always kept. */
  readonly headers?: readonly string[];
}

/** One request as the provider made it. */
export interface WebhookRequest {
  readonly method: string;
  /** Absolute, as the provider called it: behind a proxy that is the public address. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The raw bytes. */
  readonly body: Buffer;
}
