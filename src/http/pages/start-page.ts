import { escapeHtml, renderPage } from './render-page.js';

/**
 * The page a person sees before leaving for the provider. It names the product and the user for whom the connection is
 * made, because a mailed link would otherwise put a stranger's account under the sender's name. The form posts to the
 * page's own address.
 */
export function renderStartPage(page: {
  readonly productName: string;
  readonly providerName: string;
  readonly userId: string;
}): string {
  const product = escapeHtml(page.productName);
  const provider = escapeHtml(page.providerName);
  return renderPage({
    title: `Connect ${page.providerName}`,
    productName: page.productName,
    content: `<h1>Connect ${provider} to ${product}</h1>
<p>The connection is made for the ${product} user <span class="user">${escapeHtml(page.userId)}</span>.
Next, ${provider} asks you to allow it.</p>
<form method="post"><button type="submit">Continue to ${provider}</button></form>
<p class="soft">Not you, or did somebody send you this link? Then close this page: going on would put your ${provider}
account under their name.</p>`,
  });
}
