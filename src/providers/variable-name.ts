/** The variable that holds a provider's setting, such as RELINK_PROVIDER_ATTIO_CLIENT_ID, for messages. */
export function variableName(providerId: string, setting: string): string {
  return `RELINK_PROVIDER_${providerId.toUpperCase()}_${setting}`;
}
