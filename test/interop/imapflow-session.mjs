/**
 * A life over IMAP by ImapFlow; for imap-clients.interop.ts. Arguments: its module, port, user, password. INBOX
 * holds four messages, the third of 300 KB.
 */
import assert from 'node:assert/strict'

const [module, port, user, pass] = process.argv.slice(2)
const { ImapFlow } = await import(module)
const open = async () => {
  const client = new ImapFlow({
    ...{ host: 'localhost', port: Number(port), secure: true, auth: { user, pass } },
    ...{ logger: false, qresync: true, tls: { rejectUnauthorized: false } },
  })
  await client.connect()
  return client
}

const client = await open()
const folders = await client.list({ statusQuery: { messages: true, unseen: true } })
assert.ok(folders.some(({ specialUse }) => specialUse === '\\Sent'))
assert.equal(folders.find(({ path }) => path === 'INBOX')?.status?.messages, 4)
await client.mailboxCreate(['Flow', 'Grüße'])
await client.mailboxOpen('INBOX')
const all = []
for await (const message of client.fetch('1:*', {
  ...{ uid: true, flags: true, envelope: true, bodyStructure: true, size: true },
  ...{ internalDate: true, headers: ['subject'], threadId: true },
})) {
  all.push(message)
}
assert.deepEqual(
  all.map(({ envelope }) => envelope.subject),
  ['letter 0', 'letter 1', 'letter 2', 'letter 3'],
)
assert.match(all[0].headers.toString(), /^Subject: letter 0/m)
const { content } = await client.download(all[2].uid, undefined, { uid: true })
let octets = 0
for await (const piece of content) octets += piece.length
assert.equal(octets, all[2].size)
assert.deepEqual(await client.search({ subject: 'letter 3' }, { uid: true }), [all[3].uid])
assert.ok(await client.messageFlagsAdd(all[0].uid, ['\\Flagged', 'Work'], { uid: true }))
const one = await client.fetchOne(String(all[0].uid), { flags: true }, { uid: true })
assert.ok(one.flags.has('\\Flagged') && one.flags.has('Work'))
const copied = await client.messageCopy(all[0].uid, 'Flow/Grüße', { uid: true })
assert.equal(copied.uidMap.size, 1)
const moved = await client.messageMove(all[1].uid, 'Flow/Grüße', { uid: true })
assert.equal(moved.uidMap.size, 1)
const status = await client.status('Flow/Grüße', {
  messages: true,
  uidNext: true,
  highestModseq: true,
})
assert.equal(status.messages, 2)
assert.ok(status.highestModseq > 0n)

// Another one appends while this one is in IDLE.
const other = await open()
const told = new Promise(resolve => client.once('exists', resolve))
client.idle().catch(() => undefined)
await new Promise(resolve => setTimeout(resolve, 300))
const from = Date.now()
const appended = await other.append('INBOX', 'Subject: new\r\n\r\nbody\r\n', ['\\Seen'])
assert.ok(appended.uid > 0)
await told
assert.equal(client.mailbox.exists, 4)
console.log(`told within ${Date.now() - from} ms of the APPEND's beginning`)
const gone = new Promise(resolve => client.once('expunge', resolve))
await other.mailboxOpen('INBOX')
assert.ok(await other.messageDelete(appended.uid, { uid: true }))
assert.equal((await gone).uid, appended.uid)
const quota = await client.getQuota('INBOX')
assert.ok(quota === false || quota.path !== undefined)
await other.logout()
await client.mailboxClose()
await client.mailboxDelete('Flow/Grüße')
await client.logout()
console.log('all was as it should be')
