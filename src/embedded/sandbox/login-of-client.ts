const clientForm = /^app-([A-Za-z0-9_-]+)-[0-9a-f]{16}$/;

/** The login that a client made by `AccountKeys` belongs to. */
export function loginOfClient(clientId: string | undefined): string | undefined {
  return clientForm.exec(clientId ?? '')?.[1];
}
