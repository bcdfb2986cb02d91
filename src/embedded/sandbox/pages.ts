import { createHash } from 'node:crypto';
import type { SandboxAccount } from './accounts.js';
import { pageStyle } from './page-style.js';

const styleHash = createHash('sha256').update(pageStyle).digest('base64');

/**
 * Headers of every page. No scripts, no frames, no foreign assets. `form-action` cannot be narrowed to the sandbox:
 * browsers apply it to the whole chain of redirects after the form, which leads to the client and beyond.
 */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    'form-action http: https:',
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/**
 * The consent page. Its form posts `account` (a login) and `decision` (`allow` or `deny`) to its own address, so any
 * HTTP client that keeps cookies can answer it too.
 */
export function renderConsentPage(options: {
  readonly clientName: string;
  /** Origin the person is sent back to. */
  readonly returnsTo: string;
  readonly accounts: readonly SandboxAccount[];
  /** Shown above the form when the last answer was not usable. */
  readonly problem?: string;
}): string {
  const client = escapeHtml(options.clientName);
  const problem =
    options.problem === undefined ? '' : `<p class="alert" role="alert">${escapeHtml(options.problem)}</p>`;
  return renderPage(
    `Connect ${options.clientName}`,
    `<h1>${client} wants to connect to an account</h1>
<p class="soft">It will be able to read the account’s name and the name of its user.</p>
${problem}
<form method="post">
<fieldset>
<legend>Choose an account</legend>
${options.accounts.map(renderChoice).join('\n')}
</fieldset>
<div class="actions">
<button class="allow" type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>
</div>
</form>
<footer>Either way you return to ${escapeHtml(options.returnsTo)}. This is a sandbox: nothing here is real, so it asks for no
password.</footer>`,
  );
}

/** The page for a request that cannot be answered by a redirect. */
export function renderErrorPage(text: string): string {
  return renderPage(
    'This did not work',
    `<h1>This did not work</h1>
<p class="alert" role="alert">${escapeHtml(text)}</p>
<p class="soft">Go back to where you came from and start again.</p>`,
  );
}

function renderChoice(account: SandboxAccount): string {
  const shown = `${escapeHtml(account.account_name)}, ${escapeHtml(account.user_name)}`;
  return `<label><input type="radio" name="account" value="${escapeHtml(account.login)}" required>
<span>${shown}</span><small>${escapeHtml(account.note)}</small></label>`;
}

function renderPage(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)} · Sandbox provider</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<p class="brand"><b>Sandbox provider</b></p>
${content}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
