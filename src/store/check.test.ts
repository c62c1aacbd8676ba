import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemoryStore, openMemoryStore } from './memory.ts'
import { writer } from './store.ts'

const execute = writer('test.execute', async (tx, statements: readonly string[]) => {
  for (const sql of statements) await tx.run(sql)
})

/** A small installation in which all is well: one message waits, one is kept, one is long settled. */
const sound = [
  `INSERT INTO domain VALUES ('example.org', NULL, 'rows', 1)`,
  `INSERT INTO account (id, address, created_at) VALUES (1, 'joe@example.org', 1)`,
  `INSERT INTO credential VALUES (1, 'argon2id', 'x', 1)`,
  `INSERT INTO alias VALUES ('info@example.org', 'joe@example.org', 'file', 1)`,
  `INSERT INTO body (id, size_octets, octets, staged) VALUES
     (1, 3, x'616263', NULL), (2, 500, NULL, 'staged-2')`,
  `INSERT INTO message (id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8, peer,
     received_at, unsettled, settled_at) VALUES
     ('m1', 1, x'6162', 5, 'mx', '', '7BIT', 0, 'p', 1, 1, NULL),
     ('m2', NULL, x'6162', 9, 'mx', '', '7BIT', 0, 'p', 1, 0, 7)`,
  `INSERT INTO recipient (message_id, n, address, domain, state, due_at, leased_by, settled_at) VALUES
     ('m1', 0, 'joe@example.org', 'example.org', 'leased', 9, 'node', NULL),
     ('m1', 1, 'info@example.org', 'example.org', 'expanded', 1, NULL, 1),
     ('m2', 0, 'joe@example.org', 'example.org', 'delivered', 1, NULL, 7)`,
  `INSERT INTO attempt VALUES ('m1', 0, 5, 'deferred', '4.4.1', NULL, 'no answer', NULL)`,
  `INSERT INTO mailbox (id, account_id, name, uid_validity, uid_next, mod_seq, messages, unseen, size_octets)
     VALUES (1, 1, 'INBOX', 1, 2, 8, 1, 1, 501)`,
  `INSERT INTO mailbox_message
     (mailbox_id, uid, mod_seq, message_id, body_id, head, size_octets, flags, internal_date) VALUES (1, 1, 8, 'm2', 2, x'61', 501, '', 1)`,
]

const files = [{ name: 'staged-2', sizeOctets: 500 }]

async function soundStore(): Promise<MemoryStore> {
  const store = await openMemoryStore()
  await store.write(execute, sound)
  return store
}

test('a sound store has no finding, and a file that no row names is none', async () => {
  const store = await soundStore()
  assert.deepEqual(await store.check([...files, { name: 'loose', sizeOctets: 1 }]), [])
  await store.close()
})

test('each rule finds what breaks it, and names it', async () => {
  const cases: [string, string, string][] = [
    [`UPDATE message SET unsettled = 2 WHERE id = 'm1'`, 'a message counts', 'message m1'],
    [`UPDATE message SET settled_at = 3 WHERE id = 'm1'`, 'a message is settled', 'message m1'],
    [`UPDATE message SET settled_at = NULL WHERE id = 'm2'`, 'a message is settled', 'message m2'],
    [`DELETE FROM recipient WHERE message_id = 'm2'`, 'a message has a recipient', 'message m2'],
    [`UPDATE message SET body_id = 9 WHERE id = 'm2'`, 'a message that waits', 'message m2'],
    [`UPDATE message SET body_id = NULL WHERE id = 'm1'`, 'a message that waits', 'message m1'],
    [`UPDATE message SET size_octets = 4 WHERE id = 'm1'`, 'the size of a message', 'message m1'],
    [`UPDATE recipient SET state = 'lost' WHERE n = 1`, 'a recipient is in', 'recipient m1 1'],
    [`UPDATE recipient SET message_id = 'm3' WHERE n = 1`, 'a recipient belongs', 'recipient m3 1'],
    [`UPDATE recipient SET leased_by = NULL`, 'who is leased', 'recipient m1 0'],
    [`UPDATE recipient SET leased_by = 'x' WHERE n = 1`, 'who is leased', 'recipient m1 1'],
    [`UPDATE recipient SET settled_at = 1 WHERE n = 0`, 'a recipient is settled', 'recipient m1 0'],
    [`UPDATE recipient SET settled_at = NULL WHERE n = 1`, 'a recipient is s', 'recipient m1 1'],
    [`UPDATE attempt SET n = 5`, 'an attempt belongs', 'attempt m1 5'],
    [`UPDATE body SET octets = NULL WHERE id = 1`, 'a body is inline or staged', 'body 1'],
    [`UPDATE body SET octets = x'6162' WHERE id = 1`, 'the size of a body', 'body 1'],
    [`INSERT INTO body (id, size_octets, octets) VALUES (7, 0, x'')`, 'a body is ref', 'body 7'],
    [`DELETE FROM account`, 'a mailbox belongs', 'mailbox 1'],
    [`DELETE FROM account`, 'a credential belongs', 'credential 1 argon2id'],
    [`UPDATE mailbox SET uid_next = 1`, 'the next UID', 'mailbox 1'],
    [`UPDATE mailbox SET mod_seq = 7`, 'the next UID', 'mailbox 1'],
    [`UPDATE mailbox SET messages = 2`, 'a mailbox counts', 'mailbox 1'],
    [`UPDATE mailbox_message SET flags = '\\Seen'`, 'a mailbox counts', 'mailbox 1'],
    [`UPDATE mailbox_message SET flags = '\\Deleted'`, 'a mailbox counts', 'mailbox 1'],
    [`DELETE FROM mailbox_message`, 'a mailbox counts', 'mailbox 1'],
    [`UPDATE mailbox_message SET body_id = 3`, 'a kept message', 'mailbox 1 uid 1'],
    [`UPDATE mailbox_message SET size_octets = 3`, 'a kept message', 'mailbox 1 uid 1'],
    [`UPDATE mailbox_message SET mailbox_id = 3`, 'a kept message', 'mailbox 3 uid 1'],
    [`UPDATE alias SET target = ''`, 'an alias leads', 'alias info@example.org'],
    [`UPDATE domain SET origin = 'me'`, 'who may edit', 'domain example.org'],
    [`UPDATE body SET staged = 'other' WHERE id = 2`, 'a staged body', 'body 2'],
    [`UPDATE body SET size_octets = 499 WHERE id = 2`, 'a staged body', 'body 2'],
  ]
  for (const [damage, rule, where] of cases) {
    const store = await soundStore()
    await store.write(execute, [damage])
    const found = await store.check(files)
    const named = found.some(finding => finding.rule.startsWith(rule) && finding.where === where)
    assert.ok(named, `${damage}: ${JSON.stringify(found)}`)
    await store.close()
  }
})

test('slices cover a table from its first row to its last', async () => {
  const store = await openMemoryStore()
  const bodies = writer('test.bodies', (tx, count: number) =>
    tx.many(
      `INSERT INTO body (id, size_octets, octets) VALUES (?1, 0, x'')`,
      Array.from({ length: count }, (_, i) => [i * 3 - 300]),
    ),
  )
  await store.write(bodies, 4_500)
  const found = await store.check()
  assert.equal(found.length, 1_000, 'a rule tells at most a thousand')
  await store.write(execute, [`UPDATE body SET staged = 's' || id, octets = NULL`])
  const missing = await store.check([])
  assert.equal(missing.filter(({ rule }) => rule.startsWith('a staged body')).length, 4_500)
  await store.close()
})
