/** An OAuth error code is shown only in this form; anything else is a stranger's text. */
const errorCodeForm = /^[a-z_]{1,64}$/;

/** The provider's `error` where it is safe to show, for the detail of an error. */
export function showErrorCode(value: string): string | undefined {
  return errorCodeForm.test(value) ? value : undefined;
}
