/** Hosts that may have the key: the API's own, and the clusters that its answers name. */
export function isOurs(url: string, api: URL): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return false;
  return origin === api.origin || (protocol === 'https:' && hostname.endsWith('.bfl.ai'));
}

/**
 * Where a handle is asked for: at its own URL, or, for an id, at the API. Whether the latter finds a task that was submitted with a
 * webhook is not documented. Undefined where the URL is at somebody else's host.
 */
export function askedAt(handle: string, api: URL): { origin: string; path: string } | undefined {
  if (/^https?:\/\//i.test(handle)) {
    if (!isOurs(handle, api)) return undefined;
    const { origin, pathname, search } = new URL(handle);
    return { origin, path: `${pathname}${search}` };
  }
  const base = api.pathname.replace(/\/+$/, '');
  return { origin: api.origin, path: `${base}/v1/get_result?id=${encodeURIComponent(handle.toWellFormed())}` };
}

/** The task's id in a handle of either form, by which a webhook names it. */
export function idOf(handle: string): string {
  return URL.canParse(handle) ? (new URL(handle).searchParams.get('id') ?? handle) : handle;
}
