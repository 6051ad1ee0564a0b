/** Where the log of a node goes and how it looks, as its settings say. Pure. Must not know: who logs. */

import type { LogOptions } from '../model/log.js';
import type { Config } from './config.js';
import { secretsIn } from './secret.js';

export function logOptions(config: Config): LogOptions {
  const { logLevel: level, logFormat: format } = config;
  const { logFile: path, logFileBytesMax: bytesMax, logFilesMax: filesMax } = config.observing;
  return { level, format, file: path === null ? null : { path, bytesMax, filesMax }, secrets: secretsIn(config) };
}
