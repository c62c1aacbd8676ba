/** IMAP sessions over the role and a store: what scripted.ts stands for in the dialogues, here it is real. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append, Client, opened, until } from '../../test/kit/imap-client.ts'
import { copyMessages } from '../mailbox/copy.ts'
import { forgetOld } from '../mailbox/forget.ts'
import { keptFolders, keptMessages, releaseKept } from '../mailbox/kept.ts'
import { StoreError, writer } from '../store/store.ts'
import type { ImapAccess } from './imap.ts'
import { failedFor } from './imap-no.ts'

test('a client that comes back hears by QRESYNC what happened, on a store', async () => {
  const { shared, client } = await opened()
  for (let n = 1; n <= 5; n++) await append(client, `Subject: ${n}\n\nbody\n`)
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('ENABLE QRESYNC')
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(await other.say('SELECT INBOX'))?.[1]
  const validity = /UIDVALIDITY (\d+)/.exec(await other.say('SELECT INBOX'))?.[1]
  await other.say('UNSELECT')
  await client.say('SELECT INBOX')
  await client.say('STORE 1 +FLAGS (\\Flagged)')
  await client.say('STORE 2,4 +FLAGS (\\Deleted)')
  await client.say('EXPUNGE')
  await append(client, 'Subject: 6\n\nbody\n')
  const since = await other.told(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`)
  assert.match(since.join('\n'), /^\* VANISHED \(EARLIER\) 2,4$/m)
  const changed = since.filter(line => line.includes(' FETCH '))
  assert.deepEqual(
    changed.map(line =>
      /^\* (\d+) FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ/.exec(line)?.slice(1),
    ),
    [
      ['1', '1', '\\Flagged'],
      ['4', '6', ''],
    ],
  )
  const fetched = await other.told(`UID FETCH 1:* FLAGS (CHANGEDSINCE ${modSeq} VANISHED)`)
  assert.equal(fetched.length, 3)
  assert.match(await other.say('STORE 1 (UNCHANGEDSINCE 1) FLAGS ()'), /^x OK \[MODIFIED 1\]/m)
  assert.match(await other.say(`SEARCH MODSEQ ${Number(modSeq) + 1}`), /^\* SEARCH 1 4 \(MODSEQ /m)
})

test('who has never been here logs in and reads where nothing can be written; his folders are made later', async () => {
  const { shared, client } = await opened()
  await append(client, 'Subject: 1\n\nbody\n')
  await shared.store.write(unfurnish, null)
  await client.say('DELETE Drafts')
  const { store } = shared
  const reading = new Client({
    ...shared,
    store: {
      alone: store.alone,
      slot: () => store.slot(),
      wake: topic => store.wake(topic),
      onWake: listen => store.onWake(listen),
      stats: () => store.stats(),
      read: (reader, input) => store.read(reader, input),
      write: () => Promise.reject(new StoreError('full', 'no room')),
      close: () => store.close(),
    },
  })
  assert.match(await reading.say('LOGIN joe secret'), /^x OK /m)
  assert.match(await reading.say('SELECT INBOX'), /^x OK /m)
  assert.match(await reading.say('FETCH 1 BODY.PEEK[TEXT]'), /body/)
  const writing = new Client(shared)
  assert.match(await writing.say('LOGIN joe secret'), /^x OK /m)
  assert.match(await writing.say('LIST "" Drafts'), /Drafts/)
})

test('what the store cannot do for now is told as that, and a bug as a bug', () => {
  for (const reason of ['full', 'busy', 'broken', 'closed'] as const)
    assert.equal(failedFor(new StoreError(reason, reason)).code, 'UNAVAILABLE')
  for (const error of [new StoreError('conflict', 'x'), new Error('x'), 'x'])
    assert.equal(failedFor(error).code, 'SERVERBUG')
})

test('the first session that may write is told what is recent, and no other', async () => {
  const { shared, client } = await opened()
  await append(client, 'Subject: 1\n\nbody\n')
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  const status = () => other.told('STATUS INBOX (RECENT)')
  assert.deepEqual(await status(), ['* STATUS "INBOX" (RECENT 1)'])
  // Who only looks leaves it to others.
  assert.match(await other.say('EXAMINE INBOX'), /^\* 1 RECENT$/m)
  assert.match(await other.say('FETCH 1 FLAGS'), /FLAGS \(\\Recent\)/)
  await other.say('UNSELECT')
  assert.match(await client.say('SELECT INBOX'), /^\* 1 RECENT$/m)
  assert.deepEqual(await status(), ['* STATUS "INBOX" (RECENT 0)'])
  assert.match(await other.say('SELECT INBOX'), /^\* 0 RECENT$/m)
  const heard = [await append(client, 'Subject: 2\n\nbody\n'), await other.say('NOOP')].join('')
  assert.equal(heard.match(/^\* 2 EXISTS$/gm)?.length, 2)
  assert.equal(heard.match(/RECENT$/gm)?.length ?? 0, 1, heard)
  const flags = [await client.say('FETCH 1:* FLAGS'), await other.say('FETCH 1:* FLAGS')].join('')
  assert.equal(flags.match(/\\Recent/g)?.length, 2, flags)
  await client.say('SELECT INBOX')
  assert.deepEqual(await client.told('SEARCH RECENT'), ['* SEARCH'])
  assert.deepEqual(await client.told('SEARCH OLD'), ['* SEARCH 1 2'])
})

test('a copy is saved when it is copied, and keeps its date', async () => {
  const { client } = await opened()
  await client.say('CREATE Kept')
  await client.say('APPEND INBOX "01-Feb-2001 10:00:00 +0000" {6+}\r\nA: b\r\n')
  await client.say('SELECT INBOX')
  await client.say('COPY 1 Kept')
  await client.say('SELECT Kept')
  const [line = ''] = await client.told('FETCH 1 (INTERNALDATE SAVEDATE)')
  assert.match(line, /INTERNALDATE " 1-Feb-2001 10:00:00 \+0000" SAVEDATE "[ \d]\d-\w+-2/)
  assert.doesNotMatch(line, /SAVEDATE " 1-Feb-2001/)
  assert.deepEqual(await client.told('SEARCH ON 1-Feb-2001 SAVEDSINCE 2-Feb-2001'), ['* SEARCH 1'])
  assert.deepEqual(await client.told('SEARCH SAVEDBEFORE 2-Feb-2001'), ['* SEARCH'])
})

test('mailboxes are made with a use, listed with their numbers, and a name below stays', async () => {
  const { client } = await opened()
  assert.match(await client.say('CREATE "a/b" (USE (\\Junk))'), /^x OK/m)
  assert.match(await client.say('CREATE other (USE (\\Junk))'), /^x NO \[USEATTR\]/m)
  await append(client, 'A: b\n\n', '(\\Seen)', 'a/b')
  await client.say('SUBSCRIBE a/b')
  await client.say('DELETE a')
  assert.deepEqual(await client.told('LIST "" % RETURN (STATUS (MESSAGES UNSEEN SIZE))'), [
    '* LIST (\\HasNoChildren) "/" "INBOX"',
    '* STATUS "INBOX" (MESSAGES 0 UNSEEN 0 SIZE 0)',
    '* LIST (\\NonExistent \\Noselect \\HasChildren) "/" "a"',
  ])
  // INBOX is from the first day, for clients that look at nothing else.
  assert.deepEqual(await client.told('LIST (SUBSCRIBED RECURSIVEMATCH) "" %'), [
    '* LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"',
    '* LIST (\\NonExistent \\Noselect \\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))',
  ])
  assert.deepEqual(await client.told('LIST (SPECIAL-USE) "" *'), [
    '* LIST (\\HasNoChildren \\Junk) "/" "a/b"',
  ])
  assert.match(await client.say('SELECT a'), /^x NO \[NONEXISTENT\]/m)
})

test('a client from before what is remembered is told of all that is not there', async () => {
  const { shared, client } = await opened()
  for (let n = 1; n <= 6; n++) await append(client, `Subject: ${n}\n\nbody\n`)
  await client.say('ENABLE QRESYNC')
  const validity = /UIDVALIDITY (\d+)/.exec(await client.say('SELECT INBOX'))?.[1]
  await client.say('STORE 2:4 +FLAGS (\\Deleted)')
  await client.say('EXPUNGE')
  await forgetOld(shared.store, Date.now() + 40 * 86_400_000)
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('ENABLE QRESYNC')
  const told = await other.told(`SELECT INBOX (QRESYNC (${validity} 1 3:5))`)
  assert.deepEqual(
    told.filter(line => line.includes('VANISHED')),
    ['* VANISHED (EARLIER) 3:4'],
  )
  const fetched = await other.told('UID FETCH 1:6 (FLAGS) (CHANGEDSINCE 1 VANISHED)')
  assert.equal(fetched[0], '* VANISHED (EARLIER) 2:4')
})

test('who has INBOX open while it is renamed is told that it is gone', async () => {
  const { shared, client } = await opened()
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('SELECT INBOX')
  await client.say('RENAME INBOX Old')
  assert.match(await other.say('NOOP'), /^\* BYE .*\nx OK/)
})

test('what is expunged, and what was in a folder that is deleted, is kept under its name and seen by nobody', async () => {
  const { shared, client } = await opened()
  await client.say('CREATE Work')
  await append(client, 'Subject: 1\n\nbody\n', '(\\Deleted \\Seen)', 'Work')
  await append(client, 'Subject: 2\n\nbody\n', '(\\Flagged)', 'Work')
  await client.say('SELECT Work')
  await client.say('EXPUNGE')
  await client.say('DELETE Work')
  await until(async () => (await keptIn(shared, 'Work')).length === 2)
  const messages = await keptIn(shared, 'Work')
  assert.deepEqual(await client.told('LIST "" *'), ['* LIST (\\HasNoChildren) "/" "INBOX"'])
  await client.say('CREATE Work')
  const [folder] = await shared.store.read(keptFolders, 1)
  const back = { accountId: 1, mailboxId: folder?.mailboxId ?? 0, to: 'Work' }
  const uids = messages.map(({ uid }) => uid)
  await shared.store.write(copyMessages, { ...back, uids, move: true, rights: 'sw' })
  await client.say('SELECT Work')
  assert.deepEqual(await client.told('FETCH 1:* FLAGS'), [
    '* 1 FETCH (FLAGS (\\Seen \\Recent))',
    '* 2 FETCH (FLAGS (\\Flagged \\Recent))',
  ])
  await releaseKept(shared.store, Date.now() + 1000, () => {})
  assert.deepEqual(await shared.store.read(keptFolders, 1), [])
})

async function keptIn({ store }: ImapAccess, name: string) {
  const folders = await store.read(keptFolders, 1)
  const mailboxId = folders.find(({ folder }) => folder === name)?.mailboxId ?? 0
  const all = { since: 0, before: Number.MAX_SAFE_INTEGER, after: 0, limit: 10 }
  return store.read(keptMessages, { mailboxId, ...all })
}

test('NOTIFY tells what others do in mailboxes that are not open, on a store', async () => {
  const { shared, client } = await opened()
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await other.say('CREATE Work')
  await client.say('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))')
  await append(other, 'Subject: a\n\nb\n', '()', 'Work')
  assert.match(await client.unasked(), /^\* STATUS "Work" \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+\)/)
  await other.say('CREATE Play')
  assert.match(await client.unasked(), /^\* LIST \(\) "\/" "Play"$/m)
  await other.say('RENAME Play Fun')
  assert.match(await client.unasked(), /^\* LIST \(\) "\/" "Fun" \("OLDNAME" \("Play"\)\)/m)
  await client.say('SELECT INBOX')
  await client.say('UNSELECT')
  await other.say('DELETE Fun')
  assert.match(await client.unasked(), /^\* LIST \(\\NonExistent\) "\/" "Fun"/m)
})

test('a mailbox takes so many keywords, whichever way they come, and says when it is full', async () => {
  const { client } = await opened()
  await client.say('CREATE Work')
  const words = (of: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${of}${n}`).join(' ')
  for (let n = 0; n < 10; n++) {
    assert.match(await append(client, 'a\n', `(${words(`k${n}x`, 99)})`), /^x OK/m)
    await append(client, 'a\n', `(${words(`o${n}x`, 99)})`, 'Work')
  }
  const further = await append(client, 'a\n', `(\\Seen ${words('more', 11)})`)
  assert.match(further, /^x NO \[LIMIT\]/m)
  assert.match(await client.say('SELECT INBOX'), /^\* 10 EXISTS$.*PERMANENTFLAGS \([^)]* \\\*\)/ms)
  assert.match(await client.say('COPY 1 Work'), /^x NO \[LIMIT\]/m)
  assert.match(await client.say('STATUS Work (MESSAGES)'), /MESSAGES 10/)
  assert.match(await append(client, 'a\n', `(${words('more', 10)})`), /^x OK/m)
  // RFC 9051 §7.1: without `\\*` from then on.
  const full = /^\* OK \[PERMANENTFLAGS \(\\Answered [^*)]*\)\].*$/m
  const stored = await client.say('STORE 1 +FLAGS (onemore)')
  assert.match(stored, full)
  assert.match(stored, /^x NO \[LIMIT\]/m)
  assert.match(await client.say('STORE 1 -FLAGS (k0x1 nosuch)'), /^x OK/m)
  assert.match(await client.say('SELECT INBOX'), full)
})

const unfurnish = writer('test.unfurnish', tx => tx.run('UPDATE account SET furnished = 0'))

const subscribeToMany = writer('test.subscriptions', tx =>
  tx.run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    INSERT INTO subscription (account_id, name) SELECT 1, 'n' || i FROM n`),
)

test('one is subscribed to what could be there, and to so many names', async () => {
  const { shared, client } = await opened()
  assert.match(await client.say('SUBSCRIBE Nowhere'), /^x OK/)
  // Modified UTF-7 of a line end.
  assert.match(await client.say('SUBSCRIBE "a&AAo-b"'), /^x NO \[CANNOT\]/)
  assert.match(await client.say('UNSUBSCRIBE "a&AAo-b"'), /^x OK/)
  await client.say('UNSUBSCRIBE Nowhere')
  await shared.store.write(subscribeToMany, null)
  assert.match(await client.say('SUBSCRIBE n7'), /^x OK/)
  assert.match(await client.say('SUBSCRIBE one'), /^x NO \[LIMIT\]/)
  await client.say('UNSUBSCRIBE n7')
  assert.match(await client.say('SUBSCRIBE one'), /^x OK/)
})

test('a level that is no mailbox is renamed with what is below it, and INBOX keeps what is noted at it', async () => {
  const { client } = await opened()
  await client.say('CREATE a/b')
  await client.say('DELETE a')
  assert.match(await client.say('RENAME a z'), /^x OK/)
  assert.deepEqual(
    (await client.told('LIST "" %/%')).map(line => line.replace(/^.* /, '')),
    ['"z/b"'],
  )
  assert.match(await client.say('RENAME a y'), /^x NO \[NONEXISTENT\]/)
  await client.say('SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")')
  assert.match(await client.say('RENAME INBOX Old'), /^x OK/)
  for (const name of ['INBOX', 'Old']) {
    assert.deepEqual(await client.told(`GETMETADATA ${name} (/private/comment /shared/comment)`), [
      `* METADATA "${name}" (/private/comment "mine" /shared/comment "ours")`,
    ])
  }
})

test('a keyword that came with a message is told before anybody finds it at one', async () => {
  const { shared, client } = await opened()
  const other = new Client(shared)
  await other.say('LOGIN joe secret')
  await client.say('SELECT INBOX')
  await append(other, 'a\n', '($Work \\Seen)')
  await append(other, 'a\n', '($work)')
  const [exists, recent, flags, ...rest] = await client.told('NOOP')
  assert.deepEqual([exists, recent, rest], ['* 2 EXISTS', '* 2 RECENT', []])
  assert.match(flags ?? '', /^\* FLAGS \(\\Answered .* \$Work\)$/)
})
