export interface PageForm {
  /** As written in the page; empty: the page's own address. */
  readonly action: string;
  /** Hidden inputs with their values. */
  readonly hidden: readonly [name: string, value: string][];
  /** Radio buttons: the values on offer, by name. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
}

/**
 * Finds the first POST form of a page. Regular expressions over HTML, good for the two pages of this project that it
 * reads (the start page and the consent page), whose markup is ours; not a parser for the HTML of others.
 */
export function parseForm(html: string): PageForm | undefined {
  for (const [, attributes = '', content = ''] of html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)) {
    if (readAttribute(attributes, 'method')?.toLowerCase() !== 'post') continue;
    const hidden: [string, string][] = [];
    const choices = new Map<string, string[]>();
    for (const [, input = ''] of content.matchAll(/<input\b([^>]*)>/gi)) {
      const name = readAttribute(input, 'name');
      const value = readAttribute(input, 'value') ?? '';
      if (name === undefined) continue;
      const type = readAttribute(input, 'type')?.toLowerCase();
      if (type === 'hidden') hidden.push([name, value]);
      if (type === 'radio') choices.set(name, [...(choices.get(name) ?? []), value]);
    }
    return { action: readAttribute(attributes, 'action') ?? '', hidden, choices };
  }
  return undefined;
}

function readAttribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(attributes);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? undefined : decodeEntities(value);
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (_all, decimal, hex, name) => {
    if (typeof decimal === 'string') return String.fromCodePoint(Number(decimal));
    if (typeof hex === 'string') return String.fromCodePoint(Number.parseInt(hex, 16));
    return named[String(name).toLowerCase()] ?? '';
  });
}
