import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { findAccountByLogin, sandboxAccounts } from './accounts.js';
import { readBody } from './http-messages.js';
import { pageHeaders, renderConsentPage, renderErrorPage } from './pages.js';
import { sandboxScope } from './paths.js';

/**
 * Shows the consent page and takes its answer. The request is bound to the browser by oidc-provider's signed
 * interaction cookie (SameSite=Lax, path of this very page), which also keeps foreign sites from posting the form.
 */
export async function serveConsent(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'GET' && req.method !== 'POST') {
    res.setHeader('allow', 'GET, POST');
    sendPage(res, 405, renderErrorPage('This page cannot be asked that way.'));
    return;
  }
  const interaction = await provider.interactionDetails(req, res).catch(() => undefined);
  const clientId = interaction?.params.client_id;
  const client = typeof clientId === 'string' ? await provider.Client.find(clientId) : undefined;
  if (!interaction || !client) {
    sendPage(res, 400, renderErrorPage('This request has expired, or belongs to another browser.'));
    return;
  }
  const page = (status: number, problem?: string): void =>
    sendPage(
      res,
      status,
      renderConsentPage({
        clientName: client.clientName ?? client.clientId,
        returnsTo: new URL(String(interaction.params.redirect_uri)).origin,
        accounts: sandboxAccounts,
        ...(problem === undefined ? {} : { problem }),
      }),
    );
  if (req.method === 'GET') {
    page(200);
    return;
  }

  const form = new URLSearchParams(await readBody(req));
  const decision = form.get('decision');
  if (decision === 'deny') {
    const result = { error: 'access_denied', error_description: 'The person denied access.' };
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
    return;
  }
  const account = findAccountByLogin(form.get('account') ?? undefined);
  if (decision !== 'allow' || !account) {
    page(400, 'Choose one of the accounts, then press Allow or Deny.');
    return;
  }
  const grant = new provider.Grant({ accountId: account.login, clientId: client.clientId });
  const asked = typeof interaction.params.scope === 'string' ? interaction.params.scope : sandboxScope;
  grant.addOIDCScope(asked);
  const grantId = await grant.save();
  await provider.interactionFinished(
    req,
    res,
    { login: { accountId: account.login, remember: false }, consent: { grantId } },
    { mergeWithLastSubmission: false },
  );
}

function sendPage(res: ServerResponse, status: number, html: string): void {
  res.writeHead(status, pageHeaders);
  res.end(html);
}
