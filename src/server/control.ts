/**
 * What the command line may ask, done: the table of server/operation.ts over a house. While the
 * server runs it is reached by HTTP on the control socket (mode 0600); without a server the command
 * builds a house of its own around the locked data folder and calls the same table.
 */
import { type Answering, jsonAnswer } from '../world/http.ts'
import { explain } from './explain/explain.ts'
import * as account from './operation/account.ts'
import { addBan, liftBan, listBans } from './operation/ban.ts'
import type { ControlContext } from './operation/context.ts'
import * as credential from './operation/credential.ts'
import { listDestinations, resumeDestination, suspendDestination } from './operation/destination.ts'
import { fetch } from './operation/fetch.ts'
import * as identity from './operation/identity.ts'
import * as queue from './operation/queue.ts'
import { changeSome, preview } from './operation/queue-change.ts'
import * as store from './operation/store.ts'
import { listUndeletable, undelete } from './operation/undelete.ts'
import { type OperationAnswer, OperationError, type Operations } from './operation.ts'

export const operations: Operations<ControlContext> = {
  'queue.list': queue.list,
  'queue.show': queue.show,
  'queue.preview': preview,
  'queue.change': changeSome,
  'queue.why': queue.why,
  'account.add': account.addAccount,
  'account.list': account.listAccounts,
  'account.password': account.setPassword,
  'account.quota': account.quota,
  'account.disable': account.disable,
  'account.enable': account.enable,
  'account.remove': account.removeAccount,
  'account.import': credential.importAccounts,
  'account.app-password.add': credential.addAppPassword,
  'account.app-password.list': credential.listAppPasswords,
  'account.app-password.remove': credential.removeAppPassword,
  'account.identity.add': identity.addIdentity,
  'account.identity.list': identity.listIdentities,
  'account.identity.remove': identity.removeIdentity,
  'undelete.list': listUndeletable,
  'undelete.restore': undelete,
  'alias.add': account.addAlias,
  'alias.list': account.listAliases,
  'alias.remove': account.removeAlias,
  'domain.add': account.addDomain,
  'domain.list': account.listDomains,
  'domain.remove': account.removeDomain,
  'destination.list': listDestinations,
  'destination.suspend': suspendDestination,
  'destination.resume': resumeDestination,
  'ban.list': listBans,
  'ban.add': addBan,
  'ban.lift': liftBan,
  trace: queue.traceMessage,
  explain: ({ house }, input) => explain(house, input),
  backup: store.makeBackup,
  check: store.check,
  fetch,
  status: store.status,
  nodes: store.nodes,
}

/** The HTTP face of the table: `POST /<operation>` with the input as JSON. */
export function controlFace(context: ControlContext): Answering {
  return async ({ method, path, body }) => {
    if (method !== 'POST') return undefined
    return jsonAnswer(await controlled(context, path.slice(1), body))
  }
}

async function controlled(
  context: ControlContext,
  name: string,
  input: string,
): Promise<OperationAnswer<unknown>> {
  if (!Object.hasOwn(operations, name)) {
    return refusal(69, `this server does not know ${name}: is it of another version?`)
  }
  try {
    const operation = operations[name as keyof typeof operations] as (
      context: ControlContext,
      input: unknown,
    ) => Promise<unknown>
    return { ok: true, value: await operation(context, JSON.parse(input)) }
  } catch (error) {
    if (error instanceof OperationError) return refusal(error.exit, error.message)
    context.world.log.error('control.failed', { operation: name, error: String(error) })
    return refusal(70, error instanceof Error ? error.message : String(error))
  }
}

function refusal(exit: number, message: string): OperationAnswer<never> {
  return { ok: false, error: { exit, message } }
}
