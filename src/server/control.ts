/**
 * What the command line may ask, done: the table of server/operation.ts over a house. While the
 * server runs it is reached by HTTP on the control socket (control-app.ts); without a server the command
 * builds a house of its own around the locked data folder and calls the same table.
 */
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
import type { Operations } from './operation.ts'

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
