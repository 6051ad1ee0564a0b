/** Origins of web pages that may call the server: a list in one setting. */

import { hostNames } from './allowed-hosts.js';

/** Pages of whatever origin. */
const ANY = '*';

/** @param text origins separated by commas @returns them as browsers send them */
export function originsOf(text: string | null): string[] {
  return hostNames(text).map((origin) => (origin === ANY ? ANY : new URL(origin).origin));
}

/** @returns what is wrong with the list */
export function originProblems(text: string | null): string[] {
  return hostNames(text)
    .filter((origin) => !isOrigin(origin))
    .map(
      (origin) =>
        `cors_origins: ${origin} is no origin, such as https://app.example.com or http://localhost:3000, without a path; or *`,
    );
}

function isOrigin(text: string): boolean {
  if (text === ANY) return true;
  if (!URL.canParse(text)) return false;
  const { origin, protocol, pathname, search, hash, username } = new URL(text);
  return (
    /^https?:$/.test(protocol) &&
    pathname === '/' &&
    !text.endsWith('/') &&
    `${search}${hash}${username}` === '' &&
    origin !== 'null'
  );
}
