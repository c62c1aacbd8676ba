/** `undelete.*`: what was expunged within the window of `undelete.keep`, listed and brought back. */
import { copyMessages } from '../../mailbox/copy.ts'
import { createFolder, folderStatus } from '../../mailbox/folder.ts'
import { type KeptFolder, type KeptMessage, keptFolders, keptMessages } from '../../mailbox/kept.ts'
import { mailTopic } from '../../mailbox/topic.ts'
import { ExitError } from '../exit-error.ts'
import type { OperationInput, OperationOutput, UndeleteSelection } from '../operation.ts'
import type { ControlContext } from './context.ts'

const SLICE = 200
const LISTED_MAX = 1_000

export async function listUndeletable(
  context: ControlContext,
  input: OperationInput<'undelete.list'>,
): Promise<OperationOutput<'undelete.list'>> {
  const items: OperationOutput<'undelete.list'>['items'][number][] = []
  let total = 0
  for await (const { folder, messages } of found(context, input)) {
    total += messages.length
    for (const { removedAt, internalDate, sizeOctets, messageId } of messages) {
      if (items.length >= LISTED_MAX) break
      const facts = { removedAt, receivedAt: internalDate, sizeOctets, message: messageId }
      items.push({ mailbox: folder.folder, ...facts })
    }
  }
  return { items, total }
}

/** They come back to the folder they were in, which is made if it is gone; without \\Deleted, lest they go again. */
export async function undelete(
  context: ControlContext,
  input: OperationInput<'undelete.restore'>,
): Promise<OperationOutput<'undelete.restore'>> {
  const { store } = context
  let restored = 0
  for await (const { folder, messages } of found(context, input)) {
    const { accountId, mailboxId } = folder
    const there = { accountId, name: folder.folder }
    if ((await store.read(folderStatus, there)) === undefined) {
      await store.write(createFolder, { ...there, specialUse: '' })
    }
    const uids = messages.map(({ uid }) => uid)
    const carried = { accountId, mailboxId, uids, to: folder.folder, move: true, rights: 'sw' }
    const copied = await store.write(copyMessages, carried)
    if (copied.kind === 'copied') restored += copied.from.length
    store.wake(mailTopic(accountId))
  }
  return { restored }
}

/** Slice by slice, so that none of them holds anybody up. */
async function* found(
  { house, store }: ControlContext,
  { address, mailbox, since = 0, before = Number.MAX_SAFE_INTEGER }: UndeleteSelection,
): AsyncGenerator<{ readonly folder: KeptFolder; readonly messages: readonly KeptMessage[] }> {
  const account = await house.accounts.accounts.find(address)
  if (account === undefined) throw new ExitError(67, `there is no account ${address} here`)
  const name = mailbox?.toUpperCase() === 'INBOX' ? 'INBOX' : mailbox
  const folders = await store.read(keptFolders, account.id)
  if (name !== undefined && !folders.some(({ folder }) => folder === name)) {
    const there = await store.read(folderStatus, { accountId: account.id, name })
    if (!there) throw new ExitError(67, `${address} has no mailbox ${name}, and had none lately`)
  }
  for (const folder of folders) {
    if (name !== undefined && folder.folder !== name) continue
    for (let after = 0; ; ) {
      const question = { mailboxId: folder.mailboxId, since, before, after, limit: SLICE }
      const messages = await store.read(keptMessages, question)
      const last = messages.at(-1)
      if (last === undefined) break
      yield { folder, messages }
      after = last.uid
    }
  }
}
