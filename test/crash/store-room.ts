/** What the crash tests write: messages as an accept makes them, and now and then a settlement. */
import { reader, writer } from '../../src/store/store.ts'

/** Body, message and recipient, all or nothing. */
export const accept = writer(
  'crash.accept',
  async (tx, input: { n: number; octets: Uint8Array }) => {
    const { n, octets } = input
    const id = `m${n}`
    await tx.run(
      'INSERT INTO body (id, size_octets, octets) VALUES (?1, ?2, ?3)',
      n,
      octets.byteLength,
      octets,
    )
    await tx.run(
      `INSERT INTO message (id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8, peer,
       received_at, unsettled) VALUES (?1, ?2, x'6162', ?3, 'mx', '', '7BIT', 0, 'p', :now, 1)`,
      id,
      n,
      octets.byteLength + 2,
    )
    await tx.run(
      `INSERT INTO recipient (message_id, n, address, domain, state, due_at)
     VALUES (?1, 0, 'joe@example.org', 'example.org', 'queued', :now)`,
      id,
    )
    return n
  },
)

/** The message is delivered: its body goes. */
export const settle = writer('crash.settle', async (tx, n: number) => {
  const id = `m${n}`
  await tx.run(
    `UPDATE recipient SET state = 'relayed', settled_at = :now WHERE message_id = ?1 AND n = 0`,
    id,
  )
  await tx.run(
    'UPDATE message SET unsettled = 0, settled_at = :now, body_id = NULL WHERE id = ?1',
    id,
  )
  await tx.run('DELETE FROM body WHERE id = ?1', n)
  return n
})

/** Makes the body of a message a staged one. */
export const stage = writer('crash.stage', (tx, input: { n: number; name: string; size: number }) =>
  tx.many('UPDATE body SET octets = NULL, staged = ?2, size_octets = ?3 WHERE id = ?1', [
    [input.n, input.name, input.size],
  ]),
)

/** The numbers of all messages there are. */
export const accepted = reader('crash.accepted', async (tx, _: undefined) => {
  const rows = await tx.all<{ id: string }>('SELECT id FROM message')
  return rows.map(({ id }) => Number(id.slice(1))).toSorted((a, b) => a - b)
})
