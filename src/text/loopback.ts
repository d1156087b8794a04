const IPV4_OF_THIS_MACHINE = /^127(\.\d{1,3}){3}$/;

/** Whether an IP address is this machine's own, as IPv4, IPv6 or IPv4 mapped into IPv6. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return IPV4_OF_THIS_MACHINE.test(plain) || plain === '::1';
}

/** Also `localhost`, and `[::1]` as URLs have it. Any other name may resolve to anything. */
export function isLoopbackName(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '');
  return name === 'localhost' || isLoopback(name);
}

export function isLoopbackUrl(url: string): boolean {
  return isLoopbackName(new URL(url).hostname);
}
