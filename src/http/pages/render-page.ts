import { pageStyle } from './page-style.js';

/** Text into HTML, also inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

/**
 * A whole page around its content.
 *
 * @param page.content HTML; whatever comes from outside is escaped already.
 * @param page.refreshSeconds Loads the page again after so many seconds, without a script.
 */
export function renderPage(page: {
  readonly title: string;
  readonly productName: string;
  readonly content: string;
  readonly refreshSeconds?: number;
}): string {
  const refresh =
    page.refreshSeconds === undefined ? '' : `\n<meta http-equiv="refresh" content="${page.refreshSeconds}">`;
  const product = escapeHtml(page.productName);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">${refresh}
<title>${escapeHtml(page.title)} · ${product}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<p class="brand">${product}</p>
${page.content}
</main>
</body>
</html>
`;
}
