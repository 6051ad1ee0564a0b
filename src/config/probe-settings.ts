/** Where the server of this machine listens: flags over environment over the file of the server over defaults. Of the file only what says so
 *  is read: whether the rest of it is right is the server's to say. */

import { messageOf } from '../model/errors.js';
import { type ConfigSources, loadCommandFields } from './config.js';
import { readConfigFile } from './config-file.js';
import type { ValuesOf } from './field.js';
import { PROBE_FIELDS, PROBE_FILE_KEYS } from './probe-fields.js';
import { ConfigError } from './resolve.js';

export type ProbeValues = ValuesOf<typeof PROBE_FIELDS>;

/** @throws ConfigError listing everything that is wrong */
export function loadProbe(given: ConfigSources): ProbeValues {
  const { values } = loadCommandFields(PROBE_FIELDS, given);
  const path = values.config;
  if (path === null) return values;
  const content = Object.fromEntries(Object.entries(read(path)).filter(([key]) => PROBE_FILE_KEYS.includes(key)));
  return loadCommandFields(PROBE_FIELDS, given, { path, content }).values;
}

function read(path: string): Readonly<Record<string, unknown>> {
  try {
    return readConfigFile(path);
  } catch (error) {
    throw new ConfigError([messageOf(error)]);
  }
}
