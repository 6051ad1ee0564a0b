/** The strict mode of a collection between its body and what the program knows. Apart from the schemas, which a client does not carry with it. */

import { STRICT_SETTINGS, type StrictMode, strictName } from '../model/strict-mode.js';
import type { ChangedStrictModeBody, ShownStrictModeBody } from './strict-bodies.js';

/** Absent fields stay absent. */
export function strictFromBody(body: ChangedStrictModeBody): Partial<StrictMode> {
  const given = body as Readonly<Record<string, unknown>>;
  const limits = STRICT_SETTINGS.flatMap((setting) => {
    const value = given[strictName(setting)];
    return value === undefined ? [] : [[setting, value]];
  });
  return { ...(body.enabled === undefined ? {} : { enabled: body.enabled }), ...Object.fromEntries(limits) };
}

/** Absent settings stay absent. */
export function strictToBody(mode: Partial<StrictMode>): ChangedStrictModeBody {
  const limits = STRICT_SETTINGS.flatMap((setting) =>
    mode[setting] === undefined ? [] : [[strictName(setting), mode[setting]]],
  );
  return { ...(mode.enabled === undefined ? {} : { enabled: mode.enabled }), ...Object.fromEntries(limits) };
}

/** Every setting, null where there is no limit. */
export function shownStrictMode(mode: StrictMode): ShownStrictModeBody {
  return strictToBody(mode) as ShownStrictModeBody;
}
