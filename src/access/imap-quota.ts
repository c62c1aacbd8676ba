/** What GETQUOTA tells (RFC 9208), and what an account may hold when something is put into it by APPEND or COPY. */
import { limitOf, type QuotaLimit } from '../account/quota.ts'
import type { Answer, No, Question, Quota } from '../imap/server/question.ts'
import { quotaOf } from '../mailbox/quota.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { ImapAccess } from './imap.ts'
import { noSuchMailbox } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'

type Access = Pick<ImapAccess, 'store' | 'quota'>

const noSuchRoot: No = { kind: 'no', code: 'NONEXISTENT', why: 'there is no such quota root' }

export async function tellQuota(
  access: Access,
  question: Extract<Question, { kind: 'quota' | 'quota roots' }>,
): Promise<Answer> {
  if (question.kind === 'quota roots') {
    const place = await placeOf(access, question.account, question.mailbox)
    const denied = lacking(place, 'r')
    if (place === undefined || denied) return denied ?? noSuchMailbox
    const { ownerId: id, owner: address } = place
    return { kind: 'quotas', quotas: await quotasOf(access, { id, address }) }
  }
  const quotas = await quotasOf(access, question.account)
  const quota = quotas.find(({ root }) => root === question.root)
  return quota === undefined ? noSuchRoot : { kind: 'quota', quota }
}

/** One root for an account that has a limit, named by its address. */
async function quotasOf(
  { store, quota: standard }: Access,
  { id, address }: Account,
): Promise<readonly Quota[]> {
  const found = await store.read(quotaOf, id)
  const limit = found && limitOf(found, standard())
  if (found === undefined || limit === undefined) return []
  const resources: Quota['resources'][number][] = []
  const kilo = (octets: number) => Math.ceil(octets / 1024)
  if (limit.octets > 0) {
    resources.push({ name: 'STORAGE', used: kilo(found.octets), limit: kilo(limit.octets) })
  }
  if (limit.messages > 0) {
    resources.push({ name: 'MESSAGE', used: found.messages, limit: limit.messages })
  }
  return [{ root: address, resources }]
}

export async function limitFor(
  { store, quota }: Access,
  accountId: number,
): Promise<QuotaLimit | undefined> {
  const found = await store.read(quotaOf, accountId)
  return found && limitOf(found, quota())
}
