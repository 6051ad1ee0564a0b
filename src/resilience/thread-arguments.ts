/** What a thread is not to inherit of the words that the program was started with. Pure.
 *
 *  A program that is given as text (`node --input-type=module -e …`, or over standard input) hands that word on to its threads, which are files, and
 *  Node refuses it there. Must not know: threads. */

const OF_TEXT_ALONE = '--input-type';

/** @param execArgv of the process
 *  @returns options of a Worker; none as a rule, so that loaders are inherited, as Node has it */
export function threadArguments(execArgv: readonly string[]): { readonly execArgv?: string[] } {
  // Node checks words that are handed on one by one, and refuses those of V8: so all of them stay behind.
  return execArgv.some((word) => word.startsWith(OF_TEXT_ALONE)) ? { execArgv: [] } : {};
}
