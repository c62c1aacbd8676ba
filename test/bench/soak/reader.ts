/** Somebody who reads while mail comes: takes what there is by POP3, opens one message in ten, deletes all. */
import { LineClient } from '../line-client.ts'
import type { ReadPeer } from '../peer/read-peer.ts'

/** Messages of one session, so that a session ends. */
const MOST = 2_000

/** One session; how many messages it has taken out. Rejects where anything is refused. */
export async function emptyMailbox({ ports, username, password }: ReadPeer): Promise<number> {
  const client = await LineClient.open(ports.pop3, /^\+OK/)
  try {
    const ok = async (line: string) => {
      const said = await client.say(`${line}\r\n`, /^(?:\+OK|-ERR)/)
      if (!said.startsWith('+OK')) throw new Error(`${line.slice(0, 4)}: ${said}`)
      return said
    }
    await ok(`USER ${username}`)
    await ok(`PASS ${password}`)
    const count = Math.min(MOST, Number((await ok('STAT')).split(' ')[1]))
    for (let n = 1; n <= count; n += 10) await client.say(`RETR ${n}\r\n`, /^(?:\.$|-ERR)/)
    // In one group, answered in one (RFC 2449 §6.6); its last answer is that of NOOP.
    const deletions = Array.from({ length: count }, (_, i) => `DELE ${i + 1}\r\n`).join('')
    if (count > 0) await client.say(`${deletions}CAPA\r\n`, /^\.$/)
    await ok('QUIT')
    return count
  } finally {
    client.close()
  }
}
