/** The certificate of a node and the authorities it trusts, read again while it runs: when their files change, and when it is asked.
 *
 *    in use ─► files changed, or asked ─► read, checked ─► in use, for connections made from now on
 *                                              └─► unreadable, not a pair, out of its time: refused and logged; the old one stays
 *
 *  Invariant: what is in use was checked as a whole; connections that are there keep what they have. Must not know: HTTP, links. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type LinkTls, readLinkTls, type TlsPaths } from '../config/replication-settings.js';
import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import { WatchedFiles } from './watched-files.js';

const DAY_MS = 86_400_000;
/** An operator should know of it so early. */
const EXPIRY_CONCERN_DAYS = 14;

export interface CertificateParts {
  readonly paths: TlsPaths;
  /** As the files were at the start. */
  readonly tls: LinkTls;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** How often the files are looked at; left out: every 5 s. */
  readonly lookMs?: number;
  /** Puts another certificate into the listening socket. Only called when there is one. */
  listen(tls: LinkTls & { readonly cert: string }): void;
}

/** What a connection to another node is made with. One object for good; what is in it changes. */
export interface LinkCertificates {
  ca?: string;
  cert?: string;
  key?: string;
}

export class Certificates {
  readonly forLinks: LinkCertificates = {};
  readonly #parts: CertificateParts;
  readonly #files: WatchedFiles;
  #tls: LinkTls;

  constructor(parts: CertificateParts) {
    this.#parts = parts;
    this.#tls = parts.tls;
    this.#use(parts.tls);
    const { tlsCaFile, tlsCertFile, tlsKeyFile } = parts.paths;
    const paths = [tlsCaFile, tlsCertFile, tlsKeyFile];
    this.#files = new WatchedFiles({ paths, lookMs: parts.lookMs, read: () => this.#read() });
    if (parts.tls.cert === null) return;
    const help = 'When the certificate of this node ends, in seconds since 1970.';
    const gauge = parts.meter.gauge({ name: 'tls_certificate_expiry_timestamp_seconds', help }).series();
    parts.meter.beforePrinting(() => gauge.set(Math.floor((this.#expiresMs() ?? 0) / 1_000)));
  }

  /** Looks at the files from now on. Nothing is done without any. @throws Error naming the files that cannot be used as they are */
  start(): void {
    checkFiles(this.#parts.tls, this.#parts.paths);
    this.#files.start();
  }

  stop(): void {
    this.#files.stop();
  }

  /** Reads the files again, changed or not; resolves when that is done. */
  reload(): Promise<void> {
    return this.#files.reload();
  }

  /** Why the node should be looked after, one sentence each. */
  concerns(): string[] {
    const expiresMs = this.#expiresMs();
    if (expiresMs === null) return [];
    const validFromMs = Date.parse(new X509Certificate(this.#tls.cert ?? '').validFrom);
    if (validFromMs > this.#parts.clock.wallMs()) return ['the certificate of this node is not valid yet'];
    const days = this.#daysLeft(expiresMs);
    if (days >= EXPIRY_CONCERN_DAYS) return [];
    return [days < 0 ? 'the certificate of this node has expired' : `the certificate of this node ends in ${days} days`];
  }

  /** What is well, and good to know. */
  notes(): string[] {
    const expiresMs = this.#expiresMs();
    const days = expiresMs === null ? 0 : this.#daysLeft(expiresMs);
    return days < EXPIRY_CONCERN_DAYS ? [] : [`the certificate of this node ends in ${days} days`];
  }

  #daysLeft(expiresMs: number): number {
    return Math.floor((expiresMs - this.#parts.clock.wallMs()) / DAY_MS);
  }

  #read(): void {
    const { log, paths } = this.#parts;
    try {
      const tls = readLinkTls(paths);
      if (isSame(tls, this.#tls)) return;
      checkFiles(tls, paths);
      if (tls.cert !== null) checkTimes(tls.cert, this.#parts.clock.wallMs());
      if (tls.cert !== null) this.#parts.listen({ ...tls, cert: tls.cert });
      this.#tls = tls;
      this.#use(tls);
      log.info('certificates_reloaded', { expires_at: new Date(this.#expiresMs() ?? 0).toISOString() });
    } catch (error) {
      log.error('certificates_refused', { reason: messageOf(error), in_use: 'the ones before' });
    }
  }

  #use({ ca, cert, key }: LinkTls): void {
    delete this.forLinks.ca;
    delete this.forLinks.cert;
    delete this.forLinks.key;
    Object.assign(this.forLinks, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key: key.reveal() }) });
  }

  #expiresMs(): number | null {
    const { cert } = this.#tls;
    return cert === null ? null : Date.parse(new X509Certificate(cert).validTo);
  }
}

function isSame(a: LinkTls, b: LinkTls): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key?.reveal() === b.key?.reveal();
}

/** Also before the first start, where there is nothing to fall back to. An expired certificate does not stop a start: others may still take it, and
 *  health tells of it. @throws Error naming the files and what is wrong with them */
export function checkFiles({ ca, cert, key }: LinkTls, { tlsCaFile, tlsCertFile, tlsKeyFile }: TlsPaths): void {
  attempt(tlsCaFile, () => ca !== null && void createSecureContext({ ca }));
  if (cert === null || key === null) return;
  attempt(tlsCertFile, () => new X509Certificate(cert));
  attempt(tlsKeyFile, () => createPrivateKey(key.reveal()));
  attempt(`${tlsCertFile} and ${tlsKeyFile}`, () => createSecureContext({ cert, key: key.reveal() }));
}

function attempt(files: string | null, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${files} cannot be used: ${messageOf(error)}`);
  }
}

/** @throws Error saying what is wrong */
function checkTimes(cert: string, nowMs: number): void {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) <= nowMs) throw new Error(`the certificate has expired at ${validTo}`);
  if (Date.parse(validFrom) > nowMs) throw new Error(`the certificate is not valid before ${validFrom}`);
}
