/** The settings of health as a node uses them: the webhook's secret read, contradictions named. */

import { messageOf } from '../model/errors.js';
import { readKeyLines } from './api-key.js';
import type { ValuesOf } from './field.js';
import { HEALTH_FIELDS } from './health-fields.js';
import { isLoopback } from './loopback.js';
import { parseValue, ValueProblem } from './parse-value.js';
import { Secret } from './secret.js';

type HealthValues = ValuesOf<typeof HEALTH_FIELDS>;

export interface HealthSettings extends Omit<HealthValues, 'healthWebhookUrl'> {
  readonly healthWebhookUrl: Secret | null;
  /** Sent as a bearer token; null: none. */
  readonly webhookSecret: Secret | null;
}

export interface HealthReading {
  readonly settings: HealthSettings;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

const SENDABLE = /^[\x21-\x7e]+$/;

/** Reads the file that the settings name. */
export function readHealth(given: HealthValues): HealthReading {
  const problems: string[] = [];
  const warnings: string[] = [];
  const values = { ...given, healthWebhookUrl: webhookUrl(given, problems, warnings) };
  problems.push(...contradictions(values));
  let webhookSecret: Secret | null = null;
  const { healthWebhookSecretFile: path, healthWebhookUrl: url } = values;
  if (path !== null) {
    try {
      const reading = readKeyLines(path);
      const [secret = ''] = reading.lines;
      warnings.push(...reading.warnings);
      if (!SENDABLE.test(secret)) problems.push(`the first line of ${path} is no secret that a header can carry`);
      webhookSecret = new Secret(secret);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  const settings = { ...values, healthWebhookUrl: url === null ? null : new Secret(url), webhookSecret };
  return { settings: Object.freeze(settings), warnings, problems };
}

/** Given as it is, or in a file; what stands in the file is never part of a problem. */
function webhookUrl(
  { healthWebhookUrl: url, healthWebhookUrlFile: path }: HealthValues,
  problems: string[],
  warnings: string[],
): string | null {
  if (path === null) return url;
  if (url !== null) problems.push('health_webhook_url and health_webhook_url_file are both given: one of them, please');
  try {
    const reading = readKeyLines(path);
    warnings.push(...reading.warnings);
    return String(parseValue(HEALTH_FIELDS.healthWebhookUrl, reading.lines[0]));
  } catch (error) {
    const unusable = `the first line of ${path} is no http or https address without user, query and fragment`;
    problems.push(error instanceof ValueProblem ? unusable : messageOf(error));
    return url;
  }
}

function contradictions({ healthWebhookUrl: url, healthWebhookSecretFile: path }: HealthValues): string[] {
  if (path === null) return [];
  if (url === null) return ['health_webhook_secret_file is given, and no health_webhook_url to send it to'];
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return [];
  return ['health_webhook_secret_file needs a health_webhook_url with https: everybody on the way could read the secret'];
}
