import { escapeHtml, renderPage } from './render-page.js';

interface OutcomePage {
  readonly productName: string;
  readonly providerName: string;
}

export function renderConnectedPage({ productName, providerName }: OutcomePage): string {
  return renderPage({
    title: `${providerName} is connected`,
    productName,
    content: `<h1>${escapeHtml(providerName)} is connected</h1>
<p role="status">You can close this page and go back to ${escapeHtml(productName)}.</p>`,
  });
}

/** Loads itself again until there is an outcome to show. */
export function renderWorkingPage({ productName, providerName }: OutcomePage): string {
  return renderPage({
    title: 'Finishing',
    productName,
    refreshSeconds: 2,
    content: `<h1>Finishing…</h1>
<p role="status">${escapeHtml(providerName)} has answered, and the connection is being set up. This page looks again by
itself.</p>
<p class="soft">You may close it: the work goes on without it.</p>`,
  });
}
