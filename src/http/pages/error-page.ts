import { errorRegistry, type ErrorCode } from '../../errors.js';
import type { HttpContext } from '../dependencies.js';
import { escapeHtml, renderPage } from './render-page.js';

/** The page for anything that did not work, with the registry's text. */
export function renderErrorPage({ config }: Pick<HttpContext, 'config'>, code: ErrorCode): string {
  const title = code === 'attempt_not_found' ? 'This link does not work any more' : 'This did not work';
  return renderPage({
    title,
    productName: config.productName,
    content: `<h1>${title}</h1>
<p role="alert">${escapeHtml(errorRegistry[code].text)}</p>
<p class="soft">Go back to ${escapeHtml(config.productName)} and start from there. (${code})</p>`,
  });
}
