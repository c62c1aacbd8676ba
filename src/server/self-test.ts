/**
 * The self-test of every start: an unknown peer tries to relay through the MX role under every
 * spelling we know, over the same session, policy and directory that real peers meet. One
 * recipient taken, and the server does not start (RFC 5321 §7.1; Mailu#1560 and its kin).
 */

import { mxRole } from '../inbound/mx.ts'
import { Reception } from '../inbound/reception.ts'
import { imagined } from '../limit/visits.ts'
import { roleOf } from '../smtp/server/role.ts'
import { ServerSession } from '../smtp/server/session.ts'
import { pump } from '../world/pump.ts'
import type { House } from './house.ts'
import { MemoryClient } from './memory-client.ts'
import { smtpSettings } from './smtp-dialect.ts'

/** A name that RFC 2606 keeps free for ever, so that it is nobody's. */
const ELSEWHERE = 'relay-test.invalid'

/** Spellings of "send this on to someone elsewhere"; `here` is a domain of ours. */
function relaySpellings(here: string): string[] {
  const there = ELSEWHERE
  return [
    `user@${there}`,
    `"user@${there}"@${there}`,
    `user%${there}@${there}`,
    `@${here}:user@${there}`,
    `@${here},@${there}:user@${there}`,
    `@${there}:user@${there}`,
    `user@[192.0.2.1]`,
    `user@[IPv6:2001:db8::1]`,
    `user@${there}.`,
    `user@${there.toUpperCase()}`,
    `${there}!user@${there}`,
    `user@sub.${here}.${there}`,
    `user@${here}.${there}`,
    `user@localhost.${there}`,
    `user@xn--e1afmkfd.${there}`,
    `"user"@${there}`,
    `"\\u\\s\\e\\r"@${there}`,
    `user+tag@${there}`,
    `postmaster@${there}`,
    `abuse@${there}`,
  ]
}

/** Spellings that name a domain of ours: taken only where a catch-all takes everything, and then kept here. */
function trickySpellings(here: string): string[] {
  const there = ELSEWHERE
  return [
    `user%${there}@${here}`,
    `user%${there}%x@${here}`,
    `${there}!user@${here}`,
    `x!${there}!user@${here}`,
    `"user@${there}"@${here}`,
    `"user%${there}"@${here}`,
    `"${there}!user"@${here}`,
    `@${there}:user%${there}@${here}`,
    `SRS0=abcdefgh=AA=${there}=user@${here}`,
    `SRS1=abcdefgh=${there}==abcd=AA=${there}=user@${here}`,
  ]
}

/** The spellings that were taken; empty is as it must be. */
export async function findOpenRelay(house: House): Promise<string[]> {
  const domains = await house.accounts.accounts.domains()
  const open = domains.find(row => row.catchAll === null)
  const here = open?.name ?? domains[0]?.name ?? house.settings().hostname
  const spellings = [...relaySpellings(here), ...(open ? trickySpellings(open.name) : [])]
  const replies = await converse(house, spellings)
  return spellings.filter((_, i) => (replies[i] ?? '').startsWith('2'))
}

/** An address that is not loopback, so that no exemption applies. */
const STRANGER = {
  remote: { address: '192.0.2.99', port: 1 },
  local: { address: '192.0.2.1', port: 25 },
}

/** Says RCPT for each spelling over a connection in memory; the reply to each. */
async function converse(house: House, spellings: readonly string[]): Promise<string[]> {
  const replies: string[] = []
  const client = new MemoryClient(STRANGER)
  const settings = { ...smtpSettings(house, 'smtp'), errorsMax: 10_000 }
  // Also where the disk is full its recipients are judged.
  const inbound = { ...house.inbound, room: { for: () => true } }
  const policy = new Reception(inbound, mxRole(inbound), {
    protocol: 'smtp',
    vrfy: 'unsure',
    visitor: imagined(undefined),
    gauge: { underWay: 0 },
    heeding: { unwanted: [], tenure: false },
  })
  const running = pump({
    connection: client,
    clock: house.world.clock,
    log: house.world.log,
    role: roleOf(policy),
    session: sink =>
      new ServerSession(sink, settings, { remote: client.remote, local: client.local }),
  })
  await client.reply()
  await client.say('EHLO relay-test.invalid')
  await client.say('MAIL FROM:<probe@relay-test.invalid>')
  for (const spelling of spellings) {
    // A path holds a source route before its mailbox; both are inside the angle brackets.
    replies.push(await client.say(`RCPT TO:<${spelling}>`))
  }
  await client.say('QUIT')
  client.destroy()
  await running.closed
  return replies
}
