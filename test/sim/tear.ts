/**
 * Spoils a staged body of mail that waits to go elsewhere and is in no mailbox: torn, or gone. Its senders
 * must be told, since nothing can be sent any more. Called by incidents.ts.
 */
import { reader } from '../../src/store/store.ts'
import type { Random } from '../../src/world/random.ts'
import { stemOf } from '../../src/world/sealed-name.ts'
import type { MailServer } from './server.ts'

const waiting = reader('town.waitingBodies', (tx, domain: string) =>
  tx.all<{ staged: string }>(
    `SELECT b.staged FROM body b JOIN message m ON m.body_id = b.id
     WHERE b.staged IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM mailbox_message k WHERE k.body_id = b.id)
       AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = m.id AND r.domain = ?1)
     ORDER BY b.id`,
    domain,
  ),
)

export async function tearSomeBody(server: MailServer, chance: Random): Promise<void> {
  const { disk } = server.host
  const rows = await server.store.read(waiting, server.plan.domain).catch(() => [])
  const names = rows.map(({ staged }) => stemOf(staged)).filter(name => disk.names.includes(name))
  const name = names[chance.below(names.length)]
  if (name === undefined) return
  server.spoilt.add(name)
  if (chance.below(2) === 0) disk.lose(name)
  else disk.tear(name, chance.below(1_000))
}
