/**
 * Transactions with a name (RFC 1845): what is kept of one that broke off, and the result of one that was
 * accepted. Called by inbound/checkpoint.ts. Both stand under a scope, which says whose they are.
 *
 * An accepted one is recorded by the transaction that accepts its message: a crash between the two is
 * not possible, and two connections that bring the same one at the same time cannot both succeed.
 */
import { reader, writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import { type Acceptance, acceptInto } from './acceptance.ts'

/** Of whom, and which. */
export interface TransferKey {
  readonly scope: string
  readonly id: string
}

/** A further part of the content of a transaction that is under way. */
export interface Piece extends TransferKey {
  readonly n: number
  readonly envelope: string
  readonly bodyKey: number
  readonly staged: string
  readonly stagedOctets: number
  /** How many of them count. */
  readonly sizeOctets: number
  /** Octets that may be kept for one scope, and for all. */
  readonly scopeMaxOctets: number
  readonly totalMaxOctets: number
}

/** What is known of a transaction. */
export interface KnownTransfer {
  readonly done:
    | { readonly envelope: string; size_octets: number; readonly reply: string }
    | undefined
  readonly kept: { readonly envelope: string; readonly size_octets: number } | undefined
  readonly pieces: readonly { readonly staged: string; readonly size_octets: number }[]
}

/** Counted for each piece beside its octets, so that many small ones are not free. */
const PIECE_COSTS_OCTETS = 4096
/** Of one transaction: what comes behind them is not kept. */
const PIECES_MAX = 4096
/** Transfers that one job takes away. */
const SLICE = 20

export const transferOf = reader<TransferKey, KnownTransfer>(
  'queue.transferOf',
  async (tx, { scope, id }) => ({
    done: await tx.get(
      'SELECT envelope, size_octets, reply FROM transfer_done WHERE scope = ?1 AND id = ?2',
      scope,
      id,
    ),
    kept: await tx.get(
      'SELECT envelope, size_octets FROM transfer WHERE scope = ?1 AND id = ?2',
      scope,
      id,
    ),
    pieces: await tx.all(
      `SELECT b.staged, p.size_octets FROM transfer_piece p JOIN body b ON b.id = p.body_id
       WHERE p.scope = ?1 AND p.id = ?2 ORDER BY p.n`,
      scope,
      id,
    ),
  }),
)

/** Keeps a piece; false where it is too much, or another connection brings the same transaction. */
export const keepPiece = writer<Piece, boolean>('queue.keepPiece', async (tx, piece) => {
  const { scope, id, n, sizeOctets } = piece
  if (n >= PIECES_MAX || !(await hasRoom(tx, piece))) return false
  const begun =
    n === 0
      ? await tx.run(
          `INSERT INTO transfer (scope, id, envelope, size_octets, pieces, changed_at)
           VALUES (?1, ?2, ?3, ?4, 1, :now) ON CONFLICT (scope, id) DO NOTHING`,
          scope,
          id,
          piece.envelope,
          sizeOctets,
        )
      : await tx.run(
          `UPDATE transfer SET size_octets = size_octets + ?4, pieces = ?3 + 1, changed_at = :now
           WHERE scope = ?1 AND id = ?2 AND pieces = ?3`,
          scope,
          id,
          n,
          sizeOctets,
        )
  if (begun === 0) return false
  await tx.run(
    'INSERT INTO body (id, size_octets, octets, staged) VALUES (?1, ?2, NULL, ?3)',
    piece.bodyKey,
    piece.stagedOctets,
    piece.staged,
  )
  await tx.run(
    'INSERT INTO transfer_piece (scope, id, n, body_id, size_octets) VALUES (?1, ?2, ?3, ?4, ?5)',
    scope,
    id,
    n,
    piece.bodyKey,
    sizeOctets,
  )
  return true
})

async function hasRoom(tx: Write, piece: Piece): Promise<boolean> {
  const used = await tx.get<{ mine: number; total: number }>(
    `SELECT coalesce(sum(CASE WHEN scope = ?1 THEN size_octets + pieces * ?2 ELSE 0 END), 0) AS mine,
       coalesce(sum(size_octets + pieces * ?2), 0) AS total FROM transfer`,
    piece.scope,
    PIECE_COSTS_OCTETS,
  )
  const more = piece.stagedOctets + PIECE_COSTS_OCTETS
  return (
    Number(used?.mine) + more <= piece.scopeMaxOctets &&
    Number(used?.total) + more <= piece.totalMaxOctets
  )
}

/** Forgets what is kept of a transaction; gives the staged bodies that are to be removed. */
export const forgetTransfer = writer<TransferKey, readonly string[]>(
  'queue.forgetTransfer',
  (tx, key) => forget(tx, key),
)

async function forget(tx: Write, { scope, id }: TransferKey): Promise<readonly string[]> {
  const gone = await tx.all<{ body_id: number }>(
    'DELETE FROM transfer_piece WHERE scope = ?1 AND id = ?2 RETURNING body_id',
    scope,
    id,
  )
  await tx.run('DELETE FROM transfer WHERE scope = ?1 AND id = ?2', scope, id)
  const released: string[] = []
  for (const { body_id: body } of gone) {
    const row = await tx.get<{ staged: string }>(
      'DELETE FROM body WHERE id = ?1 RETURNING staged',
      body,
    )
    if (row) released.push(row.staged)
  }
  return released
}

export interface NamedAcceptance extends TransferKey {
  readonly acceptance: Acceptance
  readonly envelope: string
  readonly sizeOctets: number
  readonly reply: string
}

/**
 * Accepts the message of a transaction, records its result and lets go what was kept of it; gives the
 * staged bodies that are to be removed. One that is recorded already is a conflict: nothing is accepted.
 */
export const acceptNamed = writer<NamedAcceptance, readonly string[]>(
  'queue.acceptNamed',
  async (tx, input) => {
    await tx.run(
      `INSERT INTO transfer_done (scope, id, envelope, size_octets, reply, done_at)
       VALUES (?1, ?2, ?3, ?4, ?5, :now)`,
      input.scope,
      input.id,
      input.envelope,
      input.sizeOctets,
      input.reply,
    )
    const released = await forget(tx, input)
    await acceptInto(tx, [input.acceptance, ...(input.acceptance.notices ?? [])])
    return released
  },
)

/** Forgets some of what is older than it may be: what is kept, and results. `more` may be waiting. */
export const expireTransfers = writer<
  { readonly keepMs: number; readonly rememberMs: number },
  { readonly released: readonly string[]; readonly more: boolean }
>('queue.expireTransfers', async (tx, { keepMs, rememberMs }) => {
  const old = await tx.all<TransferKey>(
    `SELECT scope, id FROM transfer WHERE changed_at <= :now - ?1 ORDER BY changed_at LIMIT ${SLICE}`,
    keepMs,
  )
  const released: string[] = []
  for (const key of old) released.push(...(await forget(tx, key)))
  const results = await tx.all<TransferKey>(
    `SELECT scope, id FROM transfer_done WHERE done_at <= :now - ?1 ORDER BY done_at LIMIT ${SLICE * 10}`,
    rememberMs,
  )
  await tx.many(
    'DELETE FROM transfer_done WHERE scope = ?1 AND id = ?2',
    results.map(({ scope, id }) => [scope, id]),
  )
  return { released, more: old.length === SLICE || results.length === SLICE * 10 }
})
