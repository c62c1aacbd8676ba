/** Transactions with a name (src/queue/transfer.ts), for rooms.test.ts: the same on every store. */
import * as queueReader from '../../src/queue/reader.ts'
import * as transfer from '../../src/queue/transfer.ts'
import * as check from '../../src/store/check.ts'
import { acceptance, plain, type Witness } from './life.ts'

/** Transactions with a name: kept in pieces, over the quota, accepted once, forgotten. */
export async function transfersLife(w: Witness): Promise<void> {
  const key = { scope: 'peer 192.0.2.1 x', id: '<1@x>' }
  const piece = (n: number, extra: Partial<transfer.Piece> = {}) => ({
    ...key,
    n,
    envelope: '{}',
    bodyKey: 900 + n,
    staged: `piece${n}`,
    stagedOctets: 100,
    sizeOctets: 90,
    scopeMaxOctets: 20_000,
    totalMaxOctets: 30_000,
    ...extra,
  })
  await w.write(transfer.keepPiece, piece(0))
  await w.write(transfer.keepPiece, piece(0, { bodyKey: 910 }))
  await w.write(transfer.keepPiece, piece(1))
  await w.write(transfer.keepPiece, piece(3))
  await w.write(transfer.keepPiece, piece(2, { stagedOctets: 10_000 }))
  await w.write(transfer.keepPiece, piece(2, { totalMaxOctets: 12_000 }))
  await w.write(transfer.keepPiece, piece(0, { id: '<2@x>', bodyKey: 920, staged: 'other' }))
  await w.write(transfer.keepPiece, piece(0, { scope: 'account 1', bodyKey: 930, staged: 'his' }))
  await w.read(transfer.transferOf, key)
  w.log.push(plain(await check.findings({ ...w } as never)))
  const named = { ...key, envelope: '{}', sizeOctets: 250, reply: 'queued as m7' }
  await w.write(transfer.acceptNamed, {
    ...named,
    acceptance: acceptance(7, { notices: [acceptance(8, { origin: 'notice' })] }),
  })
  // The second of two that bring the same one accepts nothing.
  await w.write(transfer.acceptNamed, { ...named, acceptance: acceptance(9) }).catch(() => {})
  await w.read(queueReader.queuedMessage, 'm7')
  await w.read(queueReader.queuedMessage, 'm9')
  await w.read(transfer.transferOf, key)
  await w.read(transfer.transferOf, { ...key, scope: 'account 1' })
  await w.write(transfer.forgetTransfer, { ...key, id: '<2@x>' })
  await w.write(transfer.forgetTransfer, { ...key, id: '<2@x>' })
  await w.write(transfer.expireTransfers, { keepMs: 60_000, rememberMs: 60_000 })
  await w.write(transfer.expireTransfers, { keepMs: -60_000, rememberMs: -60_000 })
  await w.read(transfer.transferOf, key)
}
