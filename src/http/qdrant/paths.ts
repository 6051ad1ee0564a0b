/** Which paths belong to the Qdrant dialect. They are at the root; those of the own API begin with /v1, /health, /replication and the like.
 *  Must not know: routes. */

const DIALECT = /^\/(?:collections|aliases|snapshots|cluster|telemetry|issues|quotas|healthz|livez|readyz)(?:[/?]|$)/;

/** @param url path, with or without its query */
export function isDialectPath(url: string): boolean {
  return DIALECT.test(url);
}

/** The dialect passes over slashes at the end of a path; the own API does not. */
export function withoutTrailingSlash(url: string): string {
  const query = url.indexOf('?');
  let end = query < 0 ? url.length : query;
  if (end < 2 || url[end - 1] !== '/' || !isDialectPath(url)) return url;
  while (end > 1 && url[end - 1] === '/') end -= 1;
  return query < 0 ? url.slice(0, end) : url.slice(0, end) + url.slice(query);
}
