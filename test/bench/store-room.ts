/** The writer that test/bench/store.ts measures: what an accept writes for a message of 1 KB. */
import { manyWriter } from '../../src/store/store.ts'

export interface Accept {
  readonly id: string
  readonly bodyKey: number
  readonly octets: Uint8Array
  readonly head: Uint8Array
  readonly reversePath: string
  readonly recipients: readonly string[]
}

export const accept = manyWriter('bench.accept', async (tx, inputs: readonly Accept[]) => {
  await tx.many(
    'INSERT INTO body (id, size_octets, octets) VALUES (?1, ?2, ?3)',
    inputs.map(({ bodyKey, octets }) => [bodyKey, octets.byteLength, octets]),
  )
  await tx.many(
    `INSERT INTO message (id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8, peer,
       received_at, unsettled) VALUES (?1, ?2, ?3, ?4, 'mx', ?5, '7BIT', 0, '[192.0.2.1]', :now, ?6)`,
    inputs.map(({ id, bodyKey, octets, head, reversePath, recipients }) => {
      const sizeOctets = octets.byteLength + head.byteLength
      return [id, bodyKey, head, sizeOctets, reversePath, recipients.length]
    }),
  )
  await tx.many(
    `INSERT INTO recipient (message_id, n, address, domain, state, due_at)
     VALUES (?1, ?2, ?3, 'example.org', 'queued', :now)`,
    inputs.flatMap(({ id, recipients }) => recipients.map((address, n) => [id, n, address])),
  )
  return inputs.map(({ id }) => id)
})
