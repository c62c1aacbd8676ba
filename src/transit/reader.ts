/** What the ledger knows of a message that an address of ours refers to. Called by transit.ts. */
import { reader } from '../store/store.ts'

/** The reverse-path of a message: '' is null; undefined where it is on record no more. */
export const reversePathOf = reader<string, string | undefined>(
  'transit.reversePathOf',
  async (tx, id) => {
    const row = await tx.get<{ reverse_path: string }>(
      'SELECT reverse_path FROM message WHERE id = ?1',
      id,
    )
    return row?.reverse_path
  },
)
