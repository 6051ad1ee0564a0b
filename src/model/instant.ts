/** Instants in text: ISO 8601 as RFC 3339 narrows it, read the same on every machine.
 *
 *    2026-11-20 · 2026-11-20T08:30Z · 2026-11-20T08:30:00.125+01:00      (T may be a space; no zone means UTC)
 *
 *  Date.parse is not used: it reads a time without a zone in the zone of the server, and accepts what is no date at all. */

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?)?$/;
const MINUTE_MS = 60_000;

/** @returns milliseconds since 1970, with a fraction where the text has more digits; null when the text is no instant */
export function parseInstant(text: string): number | null {
  const parts = INSTANT.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const offsetMs = zoneOffsetMs(parts[8]);
  if (offsetMs === null) return null;
  const date = new Date(0);
  // The setter, because Date.UTC takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  // A day that the month does not have has moved the date into another month.
  if (date.getUTCMonth() !== month - 1) return null;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1_000 + Number(parts[7] ?? 0) * 1_000 - offsetMs;
}

function zoneOffsetMs(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}
