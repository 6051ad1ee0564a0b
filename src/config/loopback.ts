/** Which addresses stay on this machine. */

/** Does an address reach this machine only? A name other than localhost may resolve to anything, so it counts as reachable. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
