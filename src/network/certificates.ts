/** What OpenSSL says of a certificate, in a person's words. */
const UNTRUSTED: ReadonlyMap<string, string> = new Map([
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is of a CA that this machine does not know'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate is of a CA that this machine does not know'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its certificate is of a CA that this machine does not know'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate is of a CA that this machine does not know'],
]);
const WRONG: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
]);

/** Node reads the variable when it starts, which `.env` is too late for. */
const TRUST = 'Name a PEM file with its CA in NODE_EXTRA_CA_CERTS, in the environment (.env is read too late for it).';
const RENEW = "Renew the server's certificate, or see whether this machine's clock and the server's name are right.";

/** What is wrong with a certificate that was refused, and what to do; undefined for any other error. */
export function refusedCertificate(thrown: unknown): { why: string; hint: string } | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const code = 'code' in thrown ? String(thrown.code) : '';
  const untrusted = UNTRUSTED.get(code);
  if (untrusted !== undefined) return { why: untrusted, hint: TRUST };
  const wrong = WRONG.get(code);
  // Through a proxy undici wraps some of them.
  if (wrong === undefined) return refusedCertificate(thrown.cause);
  return { why: wrong, hint: RENEW };
}
