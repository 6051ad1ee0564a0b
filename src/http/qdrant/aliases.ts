/** The dialect's aliases: actions that take effect together, and lists. */

import type { Engine } from '../../engine/engine.js';
import { inScope, type KeyScope } from '../../model/access-key.js';
import { aliasNotFound } from '../../model/alias.js';
import { checkCollectionName } from '../../model/collection.js';
import type { Operation } from '../../model/operation.js';
import { AliasActionsBody } from '../../wire/qdrant-collections.js';
import { principalOf } from '../access/principal.js';
import { scopedOperations } from '../access/scoped-batch.js';
import { setPosition } from '../answer.js';
import { noteTarget } from '../audit.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { dialectCheck, readChecked } from './body.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { beginRead } from './parameters.js';
import { beginCollectionUpdate, runUpdate } from './update.js';

const checkActions = dialectCheck(AliasActionsBody);

export function aliasRoutes(room: Room): DialectRoute[] {
  return [actionsRoute(room), listRoute(room), ofCollectionRoute(room)];
}

function actionsRoute(room: Room): DialectRoute {
  return {
    method: 'POST',
    path: '/collections/aliases',
    operationId: 'qdrantUpdateAliases',
    needs: 'admin',
    looksAtScope: true,
    master: true,
    tag: 'collections',
    summary: 'Make, rename and remove aliases, all together',
    body: AliasActionsBody,
    handle: async (request, reply) => {
      const update = await beginCollectionUpdate(room, request, 'aliases');
      const { actions } = await readChecked(room, request, checkActions);
      const { engine } = update.write;
      const principal = principalOf(request);
      const asked = aliasOperations(actions, aliasesIn(engine, principal.scope));
      noteTarget(request, { aliases: asked.flatMap((operation) => ('alias' in operation ? [operation.alias] : [])).join(', ') });
      const operations = scopedOperations(principal, asked, engine);
      if (operations.length > 0) await runUpdate(room, reply, update, operations);
      return sendResult(request, reply, true);
    },
  };
}

/** Those of other collections are not there for the key. */
function aliasesIn(engine: Pick<Engine, 'aliases'>, scope: KeyScope): ReturnType<Engine['aliases']> {
  return engine.aliases().filter(({ collection }) => inScope(scope, collection));
}

/** What a rename leaves must be known before it: what earlier actions of the request made of a name counts. To remove what is not there is no
 *  mistake. @throws AliasNotFound */
function aliasOperations(actions: AliasActionsBody['actions'], aliases: ReturnType<Engine['aliases']>): Operation[] {
  const standing = new Map(aliases.map(({ alias, collection }) => [alias, collection]));
  const put = (alias: string, collection: string): Operation => {
    standing.set(alias, collection);
    return { kind: 'put_alias', alias: checkCollectionName(alias), collection: checkCollectionName(collection) };
  };
  const drop = (alias: string): Operation => {
    standing.delete(alias);
    return { kind: 'delete_alias', alias: checkCollectionName(alias) };
  };
  return actions.flatMap((action): Operation[] => {
    if ('create_alias' in action) return [put(action.create_alias.alias_name, action.create_alias.collection_name)];
    if ('delete_alias' in action) {
      const { alias_name: alias } = action.delete_alias;
      return standing.has(checkCollectionName(alias)) ? [drop(alias)] : [];
    }
    const { old_alias_name: from, new_alias_name: to } = action.rename_alias;
    const collection = standing.get(from);
    if (collection === undefined) throw aliasNotFound(from, []);
    return [drop(from), put(to, collection)];
  });
}

function listRoute(room: Room): DialectRoute {
  return {
    method: 'GET',
    path: '/aliases',
    operationId: 'qdrantListAliases',
    needs: 'read',
    looksAtScope: true,
    tag: 'collections',
    summary: 'List all aliases of collections that the key is for',
    handle: async (request, reply) => {
      const engine = room.service.engine();
      await beginRead(room, request, engine, null);
      const { scope } = principalOf(request);
      setPosition(reply, engine.position());
      return sendResult(request, reply, { aliases: shown(engine, (collection) => inScope(scope, collection)) });
    },
  };
}

function ofCollectionRoute(room: Room): DialectRoute {
  return {
    method: 'GET',
    path: '/collections/:collection/aliases',
    operationId: 'qdrantListCollectionAliases',
    needs: 'read',
    tag: 'collections',
    summary: 'List the aliases of a collection',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      await beginRead(room, request, engine, null);
      const { name: own } = engine.collection(collection);
      setPosition(reply, engine.position());
      return sendResult(request, reply, { aliases: shown(engine, (name) => name === own) });
    },
  };
}

function shown(engine: Engine, isWanted: (collection: string) => boolean): object[] {
  return engine
    .aliases()
    .filter(({ collection }) => isWanted(collection))
    .map(({ alias, collection }) => ({ alias_name: alias, collection_name: collection }));
}
