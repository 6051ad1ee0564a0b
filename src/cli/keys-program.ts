/** The words and flags of `skein keys …`. Must not know: how its commands work. */

import type { Command } from 'commander';
import { CREATE_KEY_FIELDS, LIST_KEYS_FIELDS, ROTATE_KEY_FIELDS } from '../config/command-fields.js';
import type { FieldTable } from '../config/field.js';
import type { CommandWords } from './command-words.js';
import { addFields } from './field-options.js';

/** @param keys the command `keys`, with nothing in it */
export function addKeyCommands(keys: Command, { surroundings, valuesOf, ended }: CommandWords): void {
  const command = (name: string, description: string, fields: FieldTable): Command => {
    const made = keys.command(name).description(description).allowExcessArguments(false).copyInheritedSettings(keys);
    addFields(made, fields);
    return made;
  };
  const creating = command('create', 'Make an access key and show it, this once.', CREATE_KEY_FIELDS);
  creating.argument('<name>', 'for people; need not be unique');
  creating.action(async (name: string) => {
    const { createKey } = await import('./keys.js');
    ended(await createKey(name, valuesOf(CREATE_KEY_FIELDS, creating), surroundings));
  });
  const listing = command('list', 'Show all access keys, without their secrets.', LIST_KEYS_FIELDS);
  listing.action(async () => {
    const { listKeys } = await import('./keys.js');
    ended(await listKeys(valuesOf(LIST_KEYS_FIELDS, listing), surroundings));
  });
  const revoking = command('revoke', 'End an access key at once.', LIST_KEYS_FIELDS);
  revoking.argument('<id>');
  revoking.action(async (id: string) => {
    const { revokeKey } = await import('./keys.js');
    ended(await revokeKey(id, valuesOf(LIST_KEYS_FIELDS, revoking), surroundings));
  });
  const rotating = command('rotate', 'Give an access key another secret and show it, this once.', ROTATE_KEY_FIELDS);
  rotating.argument('<id>');
  rotating.action(async (id: string) => {
    const { rotateKey } = await import('./keys.js');
    ended(await rotateKey(id, valuesOf(ROTATE_KEY_FIELDS, rotating), surroundings));
  });
}
