/** The words and flags of the commands that look into data and move it. Must not know: how they work. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CHANGES_FIELDS, COPY_FIELDS, EXPORT_FIELDS, IMPORT_FIELDS, SEARCH_FIELDS } from '../config/command-fields.js';
import type { CommandWords } from './command-words.js';
import { addFields, flagsOf } from './field-options.js';

/** @param command makes one of the program */
export function addDataCommands(
  command: (name: string, description: string) => Command,
  { surroundings, valuesOf, ended }: CommandWords,
): void {
  const importing = command(
    'import',
    'Store the points of a file, or of another store; makes the collection when it is not there.',
  );
  importing.argument('<collection>').argument('[file]', 'ndjson, json, fvecs, bvecs, csv or parquet; none with --from');
  addFields(importing, IMPORT_FIELDS);
  importing.action(async (collection: string, file: string | undefined) => {
    const { importPoints } = await import('./import/import.js');
    const values = valuesOf(IMPORT_FIELDS, importing);
    ended(await importPoints({ collection, file, values, flags: flagsOf(importing) }, surroundings));
  });

  const exporting = command('export', 'Write every point of a collection to a file, or to standard output for "-".');
  exporting.argument('<collection>').argument('<file>', 'ndjson, json, csv, fvecs or parquet');
  addFields(exporting, EXPORT_FIELDS);
  exporting.action(async (collection: string, file: string) => {
    const { exportCollection } = await import('./export/export.js');
    const path = file === '-' ? file : resolve(surroundings.workingDir, file);
    ended(await exportCollection(collection, path, valuesOf(EXPORT_FIELDS, exporting), surroundings));
  });

  const copying = command('copy', 'Copy collections from one server to another, and compare every point.');
  copying.argument('<source>', 'address of the server to read').argument('<target>', 'address of the server to write');
  addFields(copying, COPY_FIELDS);
  copying.action(async (source: string, target: string) => {
    const { copy } = await import('./copy/copy.js');
    ended(await copy(source, target, valuesOf(COPY_FIELDS, copying), surroundings));
  });

  const searching = command('search', 'Find the points nearest to a vector or to another point, or those with certain words.');
  searching.argument('<collection>');
  addFields(searching, SEARCH_FIELDS);
  searching.action(async (collection: string) => {
    const { search } = await import('./search/search.js');
    ended(await search(collection, valuesOf(SEARCH_FIELDS, searching), surroundings));
  });

  const following = command(
    'changes',
    'Follow what happens to points, collections and aliases, one JSON object per line, until Ctrl-C.',
  );
  addFields(following, CHANGES_FIELDS);
  following.action(async () => {
    const { showChanges } = await import('./changes.js');
    ended(await showChanges(valuesOf(CHANGES_FIELDS, following), surroundings));
  });
}
